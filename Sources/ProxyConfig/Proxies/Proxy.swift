import Addressing

/// One proxy of a list.
public struct Proxy: Equatable, Sendable {
    public var type: ProxyType
    public var location: ProxyLocation
    public var credentials: Credentials?
    /// nil: it is not authenticated with by GSSAPI.
    public var gssapi: GSSAPISettings?

    public init(type: ProxyType, location: ProxyLocation, credentials: Credentials? = nil) {
        self.type = type
        self.location = location
        self.credentials = credentials
    }

    /// Whether it has associations for datagrams: only SOCKS5 has (RFC 1928 section 7), and where messages are protected
    /// datagrams would have to be, too.
    public var carriesDatagrams: Bool {
        type == .socks5 && (gssapi == nil || gssapi?.protection == GSSAPIProtection.none)
    }

    /// - Parameter port: in host byte order, 1 or more.
    public init(type: ProxyType, host: Host, port: UInt16, credentials: Credentials? = nil) {
        self.init(type: type, location: .network(Endpoint(host: host, port: port)), credentials: credentials)
    }
}
