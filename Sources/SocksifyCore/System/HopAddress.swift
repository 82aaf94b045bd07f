import Addressing
import CKernel

/// The address of a first proxy.
enum HopPlace {
    case internet(IPAddress, port: UInt16)
    /// A path of 1 to 107 bytes (unix(7)).
    case unixSocket([UInt8])

    var isIPv6: Bool {
        guard case .internet(let address, _) = self, case .v6 = address.unmapped else { return false }
        return true
    }

    /// The sockaddr to connect to, for a socket that replaces one of this family if necessary; nil if there is none.
    func address(for family: SocketFamily) -> HopAddress? {
        HopAddress(self, on: family.domain(toReach: self))
    }
}

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
    func domain(toReach place: HopPlace) -> Int32 {
        switch place {
        case .unixSocket: return AF_UNIX
        case .internet(let address, _):
            if hasForm(for: address) { return domain }
            return domain == AF_INET ? AF_INET6 : AF_INET
        }
    }
}

/// A proxy's address as a sockaddr for connect(2).
struct HopAddress {
    private var form = InlineArray<110, UInt8>(repeating: 0)
    private var length = 0
    let domain: Int32
    /// Whether it is a Unix-domain address; connect(2) to it never returns EINPROGRESS.
    var isPath: Bool { domain == AF_UNIX }

    /// nil if a socket of this domain cannot connect to the proxy.
    init?(_ place: HopPlace, on domain: Int32) {
        self.domain = domain
        switch place {
        case .internet(let address, let port):
            guard domain == AF_INET || domain == AF_INET6,
                let address = SocketAddress(address: address, port: port).inFamily(of: .unspecified(domain))
            else { return nil }
            length = withUnsafeMutableBytes(of: &form) { address.write(to: $0) }
        case .unixSocket(let path):
            guard domain == AF_UNIX, path.count < 108 else { return nil }
            form[0] = UInt8(AF_UNIX)
            for index in path.indices { form[2 + index] = path[index] }
            // With the null byte after the path.
            length = 2 + path.count + 1
        }
    }

    /// Calls `body` with the address and its length.
    func withForm(_ body: (UnsafeRawPointer, socklen_t) -> Int) -> Int {
        var copy = form
        return withUnsafeBytes(of: &copy) { bytes in
            bytes.baseAddress.map { body($0, socklen_t(length)) } ?? Int(-EINVAL)
        }
    }
}
