import Addressing
import CKernel

/// The address of a first proxy.
enum ProxyLocation {
    case internet(IPAddress, port: UInt16)
    /// A path of 1 to 107 bytes (unix(7)).
    case unixSocket([UInt8])

    var isIPv6: Bool {
        guard case .internet(let address, _) = self, case .v6 = address.unmapped else { return false }
        return true
    }

    /// The sockaddr to connect to, for a socket that replaces one of this family if necessary; nil if there is none.
    func address(for family: SocketFamily) -> ProxyAddress? {
        ProxyAddress(self, on: family.domain(toReach: self))
    }
}
