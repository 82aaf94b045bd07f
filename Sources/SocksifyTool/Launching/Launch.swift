import Addressing
import Glibc
import ProxyConfig
import StreamSecurity

/// Everything between the command line and execve(2).
public enum Launch {
    /// Checks everything, prepares the environment of this process, and becomes the command. Returns never,
    /// but throws when there is a reason not to.
    /// - Parameter arguments: the command and its arguments, with a closing nil, as main gets them.
    public static func run(
        _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, _ options: ConfigurationOptions,
        logLevel: LogLevel?
    ) throws(Failure) -> Never {
        guard let first = arguments[0] else { throw .own("no command is given") }
        let name = Array(UnsafeRawBufferPointer(start: first, count: strlen(first)))
        try become(name, arguments, CommandEnvironment(options, logLevel: logLevel), logLevel)
    }

    /// Becomes the user's shell, and says through what it goes, unless nothing is to be said.
    public static func runShell(_ options: ConfigurationOptions, logLevel: LogLevel?) throws(Failure) -> Never {
        let shell = environmentValue("SHELL").flatMap { $0.isEmpty ? nil : $0 } ?? Array("/bin/sh".utf8)
        let environment = try CommandEnvironment(options, logLevel: logLevel)
        // Judged before anything is said of it.
        _ = try Target.start(
            of: Target.find(shell, searchPath: environmentValue("PATH")),
            environment.configuration.configuration.unreachable)
        if logLevel != .off {
            say([
                "programs started in this shell go through \(environment.configuration.through)",
                "leave it with: exit",
            ])
        }
        let argument = shell.withCString { strdup($0) }
        let arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 2)
        arguments.initialize(repeating: nil, count: 2)
        arguments[0] = argument
        try become(shell, arguments, environment, logLevel)
    }

    /// Has Kerberos fetch the tickets for proxies, so that no connection of the command has to wait for a KDC. Without
    /// one connections fail, and say why themselves.
    private static func fetchTickets(_ configuration: Configuration, _ logLevel: LogLevel?) {
        for proxy in configuration.proxies {
            guard let reason = ServiceTicket.fetch(for: proxy) else { continue }
            guard (logLevel ?? configuration.logLevel) != .off else { return }
            var location: [UInt8] = []
            proxy.location.write(to: &location)
            say(["proxy \(location.shown): \(reason.shown)"])
        }
    }

    private static func become(
        _ name: [UInt8], _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
        _ environment: CommandEnvironment, _ logLevel: LogLevel?
    ) throws(Failure) -> Never {
        let configuration = environment.configuration.configuration
        let program = try Target.find(name, searchPath: environmentValue("PATH"))
        let start = try Target.start(of: program, configuration.unreachable)
        try environment.apply()
        if let notice = start.notice, notice.level.rawValue <= (logLevel ?? configuration.logLevel).rawValue {
            say([notice.text])
        }
        if start.isWithoutNetwork { try Target.forbidNetwork(start) }
        fetchTickets(configuration, logLevel)
        // The path that was judged is the one that is run. It has a slash, so that execvp does not search;
        // what it does better than execv is to run scripts without a first line.
        _ = program.withCString { execvp($0, arguments) }
        throw Target.failure(name, errno)
    }
}
