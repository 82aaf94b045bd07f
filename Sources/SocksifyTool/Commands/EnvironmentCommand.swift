import Glibc
import ProxyConfig

/// `--env`: commands that have the user's shell start everything through the proxies.
public enum EnvironmentCommand {
    /// Prints them, and gives the exit status.
    ///
    /// - Parameter language: the name of a shell; nil for those that are like sh.
    public static func run(
        _ options: ConfigurationOptions, language: String?, logLevel: LogLevel?
    ) throws(Failure) -> Int32 {
        guard let language = ShellLanguage(rawValue: language ?? "sh") else {
            let known = ShellLanguage.allCases.map(\.rawValue).joined(separator: ", ")
            throw .own("'\(language ?? "")' is not a shell that --env supports; expected one of \(known)")
        }
        let commands = try CommandEnvironment(options, logLevel: logLevel).commands(in: language) {
            environmentValue($0) != nil
        }
        if isatty(STDOUT_FILENO) == 1, logLevel != .off {
            say([
                language == .fish
                    ? "this output is for a shell: socksify ... --env fish | source"
                    : "this output is for a shell: eval \"$(socksify ... --env)\""
            ])
        }
        write(commands, to: STDOUT_FILENO)
        return 0
    }
}
