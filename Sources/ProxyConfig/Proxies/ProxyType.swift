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
