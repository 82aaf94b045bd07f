/// What a proxy speaks with its clients.
public enum ProxyProtocol: Hashable, Sendable {
    case socks5
    /// With names by SOCKS4a.
    case socks4
    /// CONNECT alone.
    case http
    /// Nothing: each connection leads to this target.
    case raw(to: Endpoint)
}
