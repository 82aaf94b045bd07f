import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#endif

/// UDP sockets that read many datagrams at a time, of any size.
enum DatagramSocket {
    /// How many are read at a time; the memory for each is that of the largest.
    private static let datagramsPerRead = 16
    private static let largestDatagram = 65536

    /// Opens a socket at any port of a numeric address.
    static func open(at address: Address, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        Resolver(names: [:], eventLoop: eventLoop).addresses(of: Endpoint(address, port: 0)).flatMap {
            open(at: $0[0], on: eventLoop)
        }
    }

    /// Opens a socket; port 0 takes any that is free.
    static func open(at address: SocketAddress, on group: any EventLoopGroup) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: group)
            .channelOption(.datagramVectorReadMessageCount, value: datagramsPerRead)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: datagramsPerRead * largestDatagram)
            )
            // As much as the kernel allows: datagrams for which there is no room are lost.
            .channelOption(.socketOption(.so_rcvbuf), value: 8 << 20)
            .channelOption(.socketOption(.so_sndbuf), value: 8 << 20)
            .channelOption(.writeBufferWaterMark, value: .init(low: 8 << 20, high: 16 << 20))
            .bind(to: address)
    }

    /// Whether the kernel would send from here to there.
    ///
    /// It is asked before: a channel that fails to send for want of a route is closed.
    static func canSend(to address: SocketAddress) -> Bool {
        guard address.port != 0 else { return false }
        let descriptor = socket(
            address.protocol == .inet ? AF_INET : AF_INET6, CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return address.withSockAddr { connect(descriptor, $0, socklen_t($1)) } == 0
    }
}
