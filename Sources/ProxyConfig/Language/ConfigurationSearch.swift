/// Where a configuration is looked for.
///
/// Proxies in `SOCKSIFY_PROXY` go before those of any file. With them no file is read, but for the one that
/// `SOCKSIFY_CONF` names: then everything but the chain is taken from it. Without them the first file counts
/// that can be opened. The current directory is never looked into: it may belong to somebody else.
public struct ConfigurationSearch: Equatable, Sendable {
    /// Values of environment variables, without the closing zero; nil and empty for those that are not set.
    /// In a process that runs with the rights of another user, none may be given.
    public struct Environment: Equatable, Sendable {
        /// `SOCKSIFY_PROXY`: proxy URLs.
        public var proxies: [UInt8]?
        /// `SOCKSIFY_CONF`: the path of the file.
        public var file: [UInt8]?
        /// `XDG_CONFIG_HOME`.
        public var configurationHome: [UInt8]?
        /// `HOME`.
        public var home: [UInt8]?
        /// `PROXYCHAINS_CONF_FILE`: the path of a file in the style of proxychains.
        public var proxychainsFile: [UInt8]?
        /// `SOCKSIFY_DIRECT`: patterns of destinations that go direct.
        public var direct: [UInt8]?
        /// `SOCKSIFY_UNREACHABLE`: a word of `UnreachablePolicy`.
        public var unreachable: [UInt8]?

        public init(
            proxies: [UInt8]? = nil, file: [UInt8]? = nil, configurationHome: [UInt8]? = nil,
            home: [UInt8]? = nil, proxychainsFile: [UInt8]? = nil, direct: [UInt8]? = nil, unreachable: [UInt8]? = nil
        ) {
            self.proxies = proxies
            self.file = file
            self.configurationHome = configurationHome
            self.home = home
            self.proxychainsFile = proxychainsFile
            self.direct = direct
            self.unreachable = unreachable
        }

        /// - Parameter value: gives the value of the variable of a name.
        public init(_ value: (_ name: StaticString) -> [UInt8]?) {
            self.init(
                proxies: value("SOCKSIFY_PROXY"), file: value("SOCKSIFY_CONF"),
                configurationHome: value("XDG_CONFIG_HOME"), home: value("HOME"),
                proxychainsFile: value("PROXYCHAINS_CONF_FILE"), direct: value("SOCKSIFY_DIRECT"),
                unreachable: value("SOCKSIFY_UNREACHABLE"))
        }
    }

    /// A file that may hold the configuration.
    public struct Candidate: Equatable, Sendable {
        public var path: [UInt8]
        public var style: ConfigurationStyle
        /// Whether the user named this file, so that a missing file is an error: another file would have other proxies.
        /// An existing file that cannot be read is always an error.
        public var isRequired: Bool
    }

    /// The proxy URLs that take the place of a file's chain; nil when the files decide.
    public var proxies: [UInt8]?
    /// The files to try, in this order, up to the first that is there or that is required.
    public var candidates: [Candidate] = []

    public init(_ environment: Environment) {
        proxies = present(environment.proxies)
        let proxychainsFile = present(environment.proxychainsFile)
        if let file = present(environment.file) {
            // The wrapper names a file of proxychains in both variables, so that its style is handed on.
            add(file, required: true, style: file == proxychainsFile ? .proxychains : nil)
            return
        }
        guard proxies == nil else { return }
        if let home = absolute(environment.configurationHome) { add(home, "/socksify/socksify.conf") }
        let home = absolute(environment.home)
        if let home { add(home, "/.config/socksify/socksify.conf") }
        add([], "/etc/socksify.conf")
        if let proxychainsFile { add(proxychainsFile, required: true, style: .proxychains) }
        if let home {
            add(home, "/.proxychains/proxychains.conf")
            add(home, "/config/settings/proxychains.conf")
        }
        add([], "/etc/proxychains.conf")
        add([], "/etc/proxychains4.conf")
    }

    private mutating func add(_ folder: [UInt8], _ name: StaticString) {
        var path = folder
        for index in 0..<name.utf8CodeUnitCount { path.append(name.utf8Start[index]) }
        add(path, required: false, style: nil)
    }

    private mutating func add(_ path: [UInt8], required: Bool, style: ConfigurationStyle?) {
        for candidate in candidates where candidate.path == path { return }
        candidates.append(
            Candidate(
                path: path, style: style ?? ConfigurationStyle(fileName: path.span), isRequired: required))
    }
}

private func present(_ value: [UInt8]?) -> [UInt8]? {
    guard let value, !value.isEmpty else { return nil }
    return value
}

/// A relative path would be one in the current directory (and the XDG specification says to ignore it).
private func absolute(_ value: [UInt8]?) -> [UInt8]? {
    guard let value = present(value), value[0] == UInt8(ascii: "/") else { return nil }
    return value
}
