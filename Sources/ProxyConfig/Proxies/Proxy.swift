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

/// Where a proxy is.
public enum ProxyLocation: Equatable, Sendable {
    /// The port is 1 or more.
    case network(Endpoint)
    /// A Unix-domain socket of this machine, by its path of 1 to 107 bytes (unix(7)).
    case unixSocket([UInt8])

    /// Writes `host:port`, or the path.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .network(let endpoint): endpoint.write(to: &sink)
        case .unixSocket(let path): sink.append(path.span)
        }
    }
}

/// The protocol that a proxy speaks.
public enum ProxyType: Equatable, Sendable {
    case socks5
    /// With the extension for names, SOCKS4a.
    case socks4
    /// HTTP's method CONNECT.
    case http
    /// Not a protocol: the proxy is connected to, and gets the program's bytes as they are.
    case raw
}

/// User name and password of RFC 1929 (or of the proxy type's own scheme), each of 1 to 255 bytes; only a
/// SOCKS5 proxy insists on a password, for others it may be empty.
public struct Credentials: Equatable, Sendable {
    public var user: [UInt8]
    public var password: [UInt8]
    /// Where the password is to be read from, if it does not stand in the configuration.
    public var source: PasswordSource?

    public init(user: [UInt8], password: [UInt8], source: PasswordSource? = nil) {
        self.user = user
        self.password = password
        self.source = source
    }
}

/// Where a password is that does not stand in the configuration.
public enum PasswordSource: Equatable, Sendable {
    /// The first line of the file of this path.
    case file([UInt8])
    /// The value of the environment variable of this name.
    case variable([UInt8])
}
