import Addressing
import Glibc
import ProxyConfig

/// The environment in which a command uses the proxies.
public struct CommandEnvironment {
    /// What differs from the environment of this process.
    public var changes: [EnvironmentChange]
    public var configuration: LoadedConfiguration

    /// - Parameter logLevel: that of the command; nil leaves what is there.
    public init(_ options: ConfigurationOptions, logLevel: LogLevel?) throws(Failure) {
        configuration = try ConfigurationLoading.load(options)
        let library = try LibraryLocation.find()
        let preloaded = environmentValue("LD_PRELOAD")
        // In a process with the library the resolver gives reserved addresses, which are meaningless in another
        // process tree.
        let isInside = preloads(library, in: preloaded ?? [])
        changes = try configuration.handedOn(resolve: isInside ? nil : { resolveProxy($0) })
        // None of them is handed on, only where they stand.
        var withPasswords = configuration
        try withPasswords.readPasswords()
        if logLevel != .off { say(withPasswords.warnings.map { "warning: \($0)" }) }
        if logLevel == .info || logLevel == .debug {
            say(["configuration: \(configuration.origin)", "library: \(library.shown)"])
        }
        if let logLevel {
            let file = (environmentValue("SOCKSIFY_LOG") ?? []).drop { $0 != UInt8(ascii: ":") }
            changes.append(("SOCKSIFY_LOG", Array("\(logLevel.text)".utf8) + file))
        }
        if let policy = options.unreachable { changes.append(("SOCKSIFY_UNREACHABLE", Array("\(policy.text)".utf8))) }
        changes.append(("LD_PRELOAD", preloadVariable(adding: library, to: preloaded)))
    }

    /// Makes it the environment of this process, which is to become the command.
    func apply() throws(Failure) {
        for (name, value) in changes { try set(name, value) }
        if environmentValue("SOCKSIFY_TABLE") == nil {
            try set("SOCKSIFY_TABLE", tableVariable(runtimeFolder: environmentValue("XDG_RUNTIME_DIR")))
        }
    }

    private func set(_ name: String, _ value: [UInt8]?) throws(Failure) {
        let status = value.map { $0.withCString { setenv(name, $0, 1) } } ?? unsetenv(name)
        guard status == 0 else { throw .own("cannot set \(name): \(describe(errno))") }
    }
}
