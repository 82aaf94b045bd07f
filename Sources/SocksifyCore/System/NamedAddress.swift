import Addressing
import CKernel

/// The destination address of sendto(2).
enum NamedAddress {
    /// No address: the datagram goes to the socket's peer.
    case none
    case internet(SocketAddress)
    /// Another family, or an invalid address: the kernel decides.
    case other

    /// That of a message.
    init(of message: UnsafePointer<msghdr>, by socket: Socket) {
        let name = UnsafeRawPointer(message.pointee.msg_name)
        // The first page is never mapped.
        if let name, UInt(bitPattern: name) < 4096 {
            self = .other
        } else {
            let address = name?.assumingMemoryBound(to: sockaddr.self)
            self.init(address, length: message.pointee.msg_namelen, of: socket)
        }
    }

    /// AF_UNSPEC means AF_INET to a datagram socket of IPv4, and no address to one of IPv6. To a socket that does not
    /// say what it is the address may be one.
    init(_ address: UnsafePointer<sockaddr>?, length: socklen_t, of socket: Socket) {
        guard let address else {
            self = .none
            return
        }
        self = .other
        if let address = SocketAddress(address, length: length) { self = .internet(address) }
        guard length >= 16, UnsafeRawPointer(address).loadUnaligned(as: sa_family_t.self) == AF_UNSPEC,
            socket.isTCP != true
        else { return }
        switch socket.domain {
        case AF_INET6: self = .none
        case AF_INET, -1:
            var copy = sockaddr_in()
            withUnsafeMutableBytes(of: &copy) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: $0.count))
            }
            copy.sin_family = sa_family_t(AF_INET)
            withUnsafePointer(to: &copy) { copy in
                copy.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    if let address = SocketAddress($0, length: 16) { self = .internet(address) }
                }
            }
        default: break
        }
    }
}
