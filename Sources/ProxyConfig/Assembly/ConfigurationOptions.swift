/// The options of the command line for the configuration.
public struct ConfigurationOptions {
    /// The values of `-x`, each one or more proxy URLs.
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
