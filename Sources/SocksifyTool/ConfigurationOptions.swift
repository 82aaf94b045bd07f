import ProxyConfig

/// What the command line says of the configuration.
public struct ConfigurationOptions {
    /// The values of `-x`, each one or more hops.
    public var proxies: [[UInt8]]
    /// The value of `-f`.
    public var file: [UInt8]?

    public init(proxies: [[UInt8]] = [], file: [UInt8]? = nil) {
        self.proxies = proxies
        self.file = file
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
