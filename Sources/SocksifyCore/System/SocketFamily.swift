import Addressing
import CKernel

/// The family of a program's socket.
struct SocketFamily {
    /// AF_INET or AF_INET6.
    let domain: Int32
    /// Whether the socket excludes IPv4 (ipv6(7), IPV6_V6ONLY).
    let isIPv6Only: Bool

    /// The family for the library's own sockets, which are made in whatever domain the proxy needs.
    static var own: SocketFamily { SocketFamily(domain: AF_INET, isIPv6Only: false) }

    /// Whether a socket of the family can connect to the address.
    func hasForm(for address: IPAddress) -> Bool {
        if case .v4 = address.unmapped { return !isIPv6Only }
        return domain == AF_INET6
    }

    /// The domain of a socket that can reach the proxy: the family's, if possible.
    func domain(toReach location: ProxyLocation) -> Int32 {
        switch location {
        case .unixSocket: return AF_UNIX
        case .internet(let address, _):
            if hasForm(for: address) { return domain }
            return domain == AF_INET ? AF_INET6 : AF_INET
        }
    }
}
