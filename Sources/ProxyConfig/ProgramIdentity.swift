import Addressing

/// What a program is called, for the sections that speak of programs (`[App PATTERN...]`).
public struct ProgramIdentity: Equatable, Sendable {
    /// The path of the executable file, or its name where no more is known.
    public var executable: [UInt8]
    /// The path or name of what the executable interprets: a script, a Python module, a Java archive or class; nil where
    /// it is no interpreter, or was given nothing of the kind.
    public var script: [UInt8]?

    public init(executable: [UInt8], script: [UInt8]? = nil) {
        self.executable = executable
        self.script = script
    }

    /// - Parameter arguments: all of them, the program's own name first.
    public init(executable: [UInt8], arguments: [[UInt8]]) {
        let interpreter = Interpreter(named: baseName(executable.span))
        self.init(executable: executable, script: interpreter?.script(in: arguments))
    }

    /// Whether a pattern is meant for this program. One with a slash is compared with the path of the executable or of
    /// the script, others with the last component of either. `*` stands for any bytes, slashes included, `?` for one.
    func matches(_ pattern: Span<UInt8>) -> Bool {
        matches(pattern, path: executable.span) || script.map { matches(pattern, path: $0.span) } ?? false
    }

    private func matches(_ pattern: Span<UInt8>, path: Span<UInt8>) -> Bool {
        for index in pattern.indices where pattern[index] == UInt8(ascii: "/") {
            return globMatches(pattern, path, ignoringCase: false)
        }
        return globMatches(pattern, baseName(path), ignoringCase: false)
    }
}

/// The last component of a path.
@_lifetime(copy path)
private func baseName(_ path: Span<UInt8>) -> Span<UInt8> {
    var start = 0
    for index in path.indices where path[index] == UInt8(ascii: "/") { start = index + 1 }
    return path.extracting(start...)
}
