import Addressing
import CKernel

/// A proxy's address as a sockaddr for connect(2).
struct ProxyAddress {
    private var form = InlineArray<110, UInt8>(repeating: 0)
    private var length = 0
    let domain: Int32
    /// Whether it is a Unix-domain address; connect(2) to it never returns EINPROGRESS.
    var isPath: Bool { domain == AF_UNIX }

    /// nil if a socket of this domain cannot connect to the proxy.
    init?(_ location: ProxyLocation, on domain: Int32) {
        self.domain = domain
        switch location {
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
