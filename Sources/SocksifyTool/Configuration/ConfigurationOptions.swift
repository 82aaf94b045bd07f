import ProxyConfig

/// What the command line says of the configuration.
public struct ConfigurationOptions {
    /// The values of `-x`, each one or more hops.
    public var proxies: [[UInt8]]
    /// The value of `-f`.
    public var file: [UInt8]?
    /// The values of `--direct`, each one or more patterns.
    public var direct: [[UInt8]]
    /// The value of `--unreachable`.
    public var unreachable: UnreachablePolicy?

    public init(
        proxies: [[UInt8]] = [], file: [UInt8]? = nil, direct: [[UInt8]] = [], unreachable: UnreachablePolicy? = nil
    ) {
        self.proxies = proxies
        self.file = file
        self.direct = direct
        self.unreachable = unreachable
    }
}

extension ConfigurationSearch.Environment {
    /// That of this process.
    public static var ofProcess: ConfigurationSearch.Environment {
        ConfigurationSearch.Environment(
            proxies: environmentValue("SOCKSIFY_PROXY"), file: environmentValue("SOCKSIFY_CONF"),
            configurationHome: environmentValue("XDG_CONFIG_HOME"), home: environmentValue("HOME"),
            proxychainsFile: environmentValue("PROXYCHAINS_CONF_FILE"))
    }
}

extension ConfigurationLoading {
    /// Loads with the environment of this process.
    public static func load(
        _ options: ConfigurationOptions, program: ProgramIdentity? = nil
    ) throws(Failure) -> LoadedConfiguration {
        try load(
            options, environment: .ofProcess, directPatterns: environmentValue("SOCKSIFY_DIRECT"),
            unreachable: environmentValue("SOCKSIFY_UNREACHABLE"), program: program)
    }
}
