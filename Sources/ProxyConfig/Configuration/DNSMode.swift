import Addressing

/// How names are resolved (`dns`).
public enum DNSMode: Equatable, Sendable {
    /// Programs get a reserved address, and the proxy resolves the name.
    case fake
    /// By this server, over TCP through the proxy (RFC 7766). If it is a name, the proxy resolves it. The port is 1 or
    /// more.
    case tcp(Endpoint)
    /// By Tor, with its extensions of SOCKS5.
    case tor
    /// By the resolver of this machine.
    case local

    /// Whether programs get reserved addresses: for all names, or for those without an address (`.onion`).
    public var reservesAddresses: Bool { self == .fake || self == .tor }
}
