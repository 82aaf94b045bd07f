import Addressing

/// The names of a program, for `[App PATTERN...]` sections.
public struct ProgramIdentity: Equatable, Sendable {
    /// The path of the executable file, or its name if the path is unknown.
    public var executable: [UInt8]
    /// The path or name of the interpreted script, Python module, Java archive or class; nil if the executable is no
    /// interpreter or interprets no file.
    public var script: [UInt8]?
    /// Other paths or names by which the executable was called: links to it, such as `python3` to `python3.11`.
    public var aliases: [[UInt8]]

    public init(executable: [UInt8], script: [UInt8]? = nil, aliases: [[UInt8]] = []) {
        self.executable = executable
        self.script = script
        self.aliases = aliases
    }

    /// - Parameters:
    ///   - arguments: all arguments, beginning with the program's name.
    ///   - path: the path given to execve(2) (getauxval(3), AT_EXECFN); nil if unknown.
    public init(executable: [UInt8], arguments: [[UInt8]], executedBy path: [UInt8]? = nil) {
        let interpreter = Interpreter(named: baseName(executable.span))
        var aliases: [[UInt8]] = []
        if let name = arguments.first { aliases.append(withoutLoginMark(name)) }
        if let path { aliases.append(path) }
        self.init(executable: executable, script: interpreter?.script(in: arguments), aliases: aliases)
    }

    /// Whether a pattern matches this program. A pattern with a slash is compared with the paths of the executable and
    /// of the script, others with their last components. `*` matches any bytes, slashes included, `?` one byte.
    func matches(_ pattern: Span<UInt8>) -> Bool {
        if matches(pattern, path: executable.span) { return true }
        if let script, matches(pattern, path: script.span) { return true }
        for alias in aliases where matches(pattern, path: alias.span) { return true }
        return false
    }

    private func matches(_ pattern: Span<UInt8>, path: Span<UInt8>) -> Bool {
        for index in pattern.indices where pattern[index] == UInt8(ascii: "/") {
            return globMatches(pattern, path, ignoringCase: false)
        }
        return globMatches(pattern, baseName(path), ignoringCase: false)
    }
}

extension Configuration {
    /// Whether a text may have `[App]` sections, so that the program's identity is needed.
    public static func mayNamePrograms(_ text: Span<UInt8>) -> Bool {
        let text = SourceText(text)
        return text.first("[App", in: text.whole) != nil
    }
}

/// A shell's name without the hyphen that makes it a login shell.
private func withoutLoginMark(_ name: [UInt8]) -> [UInt8] {
    guard name.count > 1, name[0] == UInt8(ascii: "-") else { return name }
    var rest: [UInt8] = []
    for index in 1..<name.count { rest.append(name[index]) }
    return rest
}

/// The last component of a path.
@_lifetime(copy path)
private func baseName(_ path: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    for index in path.indices where path[index] == UInt8(ascii: "/") { start = index + 1 }
    return path.extracting(start...)
}
