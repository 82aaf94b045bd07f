import Addressing
import CPreload
import FakeDNS

extension Destination {
    /// Asks the kernel how this machine would reach the address. Sends nothing: connect(2) on a datagram socket only
    /// chooses the route.
    @inline(never)
    init(reaching address: IPAddress) {
        let peer = SocketAddress(address: address, port: Destination.discardPort)
        let domain = if case .v4 = address { AF_INET } else { AF_INET6 }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Int32(truncatingIfNeeded: keyed_socket(domain, type, 0))
        guard descriptor >= 0 else {
            self.init(address, from: nil)
            return
        }
        defer { _ = kernel_close(descriptor) }
        var form = InlineArray<28, UInt8>(repeating: 0)
        let length = withUnsafeMutableBytes(of: &form) { peer.write(to: $0) }
        guard kernel_connect(descriptor, &form, socklen_t(length)) == 0 else {
            self.init(address, from: nil)
            return
        }
        let source = (try? Socket(descriptor: descriptor).name)?.address
        var networkLength = 32
        if case .v4(let own)? = source {
            networkLength = Int(kernel_network_length(descriptor, own.value.bigEndian))
        }
        self.init(address, from: source, networkLength: networkLength)
    }

    /// RFC 863. Any port would do: the route does not depend on it.
    private static var discardPort: UInt16 { 9 }
}
