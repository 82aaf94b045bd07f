import Addressing
import Glibc
import ProxyConfig

/// Everything between the command line and execve(2).
public struct Launch {
    /// The values of `-x`.
    public var urls: [[UInt8]]
    /// The value of `-f`.
    public var file: [UInt8]?
    /// The value for `SOCKSIFY_LOG`; nil leaves what is there.
    public var logLevel: LogLevel?

    public init(urls: [[UInt8]], file: [UInt8]?, logLevel: LogLevel?) {
        self.urls = urls
        self.file = file
        self.logLevel = logLevel
    }

    /// Checks everything, prepares the environment of this process, and becomes the command. Returns never,
    /// but throws when there is a reason not to.
    /// - Parameter arguments: the command and its arguments, with a closing nil, as main gets them.
    public func run(_ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws(Failure) -> Never {
        guard let first = arguments[0] else { throw .own("no command is given") }
        let name = Array(UnsafeRawBufferPointer(start: first, count: strlen(first)))

        let library = try LibraryLocation.find()
        let preloaded = environmentValue("LD_PRELOAD")
        // Inside a process that the library is already in, the resolver answers with addresses that stand for
        // names, which nobody else understands.
        let isInside = preloads(library, in: preloaded ?? [])
        let configuration = try ConfigurationLoading.load(
            urls: urls, file: file,
            environment: ConfigurationSearch.Environment(
                proxies: environmentValue("SOCKSIFY_PROXY"), file: environmentValue("SOCKSIFY_CONF"),
                configurationHome: environmentValue("XDG_CONFIG_HOME"), home: environmentValue("HOME"),
                proxychainsFile: environmentValue("PROXYCHAINS_CONF_FILE")),
            resolve: isInside ? nil : { resolveProxy($0) })
        if logLevel != .off { say(configuration.warnings.map { "warning: \($0)" }) }
        if logLevel == .info || logLevel == .debug {
            say(["configuration: \(configuration.origin)", "library: \(library.shown)"])
        }

        let program = try Target.find(name, searchPath: environmentValue("PATH"))
        try Target.check(program)

        for (name, value) in configuration.environment { try set(name, value) }
        if let logLevel { try set("SOCKSIFY_LOG", Array(logLevel.word.utf8)) }
        if environmentValue("SOCKSIFY_TABLE") == nil {
            try set("SOCKSIFY_TABLE", tableVariable(runtimeFolder: environmentValue("XDG_RUNTIME_DIR")))
        }
        try set("LD_PRELOAD", preloadVariable(adding: library, to: preloaded))
        // The path that was judged is the one that is run. It has a slash, so that execvp does not search;
        // what it does better than execv is to run scripts without a first line.
        _ = program.withCString { execvp($0, arguments) }
        throw Target.failure(name, errno)
    }

    private func set(_ name: String, _ value: [UInt8]?) throws(Failure) {
        let status = value.map { $0.withCString { setenv(name, $0, 1) } } ?? unsetenv(name)
        guard status == 0 else { throw .own("cannot set \(name): \(describe(errno))") }
    }
}

extension LogLevel {
    /// The word of `SOCKSIFY_LOG`.
    var word: String {
        switch self {
        case .off: "off"
        case .error: "error"
        case .warning: "warn"
        case .info: "info"
        case .debug: "debug"
        }
    }
}

/// Writes lines on standard error, after the name of the tool.
public func say(_ lines: [String]) {
    for line in lines {
        let bytes = Array("socksify: \(line)\n".utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
