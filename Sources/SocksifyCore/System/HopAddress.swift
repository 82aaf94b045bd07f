import Addressing
import CKernel

/// Where a proxy is that connections are made to.
enum HopPlace {
    case internet(IPAddress, port: UInt16)
    /// By its path, of 1 to 107 bytes.
    case unixSocket([UInt8])

    var isIPv6: Bool {
        guard case .internet(let address, _) = self, case .v6 = address.unmapped else { return false }
        return true
    }

    /// The address in the form that a socket takes which is to reach the place for one of this family; nil where there is
    /// none.
    func address(for family: SocketFamily) -> HopAddress? {
        HopAddress(self, on: family.domain(toReach: self))
    }
}

/// The addresses that the program uses a socket with.
struct SocketFamily {
    /// AF_INET or AF_INET6.
    let domain: Int32
    /// Whether it has nothing to do with IPv4 (ipv6(7), IPV6_V6ONLY).
    let isIPv6Only: Bool

    /// That of the library's own, which are made as they are needed.
    static var own: SocketFamily { SocketFamily(domain: AF_INET, isIPv6Only: false) }

    /// Whether a socket of the family has a form for the address.
    func hasForm(for address: IPAddress) -> Bool {
        if case .v4 = address.unmapped { return !isIPv6Only }
        return domain == AF_INET6
    }

    /// The domain of a socket that reaches the place: the family's, if it can.
    func domain(toReach place: HopPlace) -> Int32 {
        switch place {
        case .unixSocket: return AF_UNIX
        case .internet(let address, _):
            if hasForm(for: address) { return domain }
            return domain == AF_INET ? AF_INET6 : AF_INET
        }
    }
}

/// A proxy's address, as connect(2) takes it of a socket of some domain.
struct HopAddress {
    private var form = InlineArray<110, UInt8>(repeating: 0)
    private var length = 0
    let domain: Int32
    /// Whether it is that of a socket of a Unix domain, which the kernel connects to at once or not at all.
    var isPath: Bool { domain == AF_UNIX }

    /// nil where a socket of this domain has no form for the place.
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
            // With the zero behind the path.
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
