/// The language of a shell, as far as it sets variables.
public enum ShellLanguage: String, CaseIterable, Sendable {
    case sh, bash, dash, ksh, zsh, fish

    /// A command that sets or removes a variable for everything that the shell starts.
    func command(_ change: EnvironmentChange) -> [UInt8] {
        let name = Array(change.name.utf8)
        switch (self, change.value) {
        case (.fish, let value?): return "set -gx ".utf8 + name + " ".utf8 + quoted(value) + ";\n".utf8
        case (.fish, nil): return "set -e ".utf8 + name + ";\n".utf8
        case (_, let value?): return "export ".utf8 + name + "=".utf8 + quoted(value) + ";\n".utf8
        case (_, nil): return "unset ".utf8 + name + ";\n".utf8
        }
    }

    /// One word of the language that means these very bytes.
    func quoted(_ value: [UInt8]) -> [UInt8] {
        var word = [UInt8(ascii: "'")]
        for byte in value {
            switch (self, byte) {
            case (.fish, UInt8(ascii: "'")), (.fish, UInt8(ascii: "\\")): word += [UInt8(ascii: "\\"), byte]
            case (_, UInt8(ascii: "'")): word += "'\\''".utf8
            default: word.append(byte)
            }
        }
        return word + [UInt8(ascii: "'")]
    }
}

extension CommandEnvironment {
    /// Commands for `eval` that have a shell start everything from then on through the proxies.
    ///
    /// - Parameter isSet: whether a variable is there to be removed.
    public func commands(in language: ShellLanguage, isSet: (String) -> Bool) -> [UInt8] {
        changes.filter { $0.value != nil || isSet($0.name) }.flatMap(language.command)
    }
}
