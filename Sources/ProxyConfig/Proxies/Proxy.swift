import Addressing

/// One proxy of a list.
public struct Proxy: Equatable, Sendable {
    public var type: ProxyType
    public var location: ProxyLocation
    public var credentials: Credentials?

    public init(type: ProxyType, location: ProxyLocation, credentials: Credentials? = nil) {
        self.type = type
        self.location = location
        self.credentials = credentials
    }

    /// - Parameter port: in host byte order, 1 or more.
    public init(type: ProxyType, host: Host, port: UInt16, credentials: Credentials? = nil) {
        self.init(type: type, location: .network(Endpoint(host: host, port: port)), credentials: credentials)
    }
}
