import NIOCore

/// Hands over the datagrams of a channel.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let received: (ByteBuffer, SocketAddress) -> Void
    private let completed: () -> Void

    /// `completed` is called after the last of several that were there at the same time.
    init(received: @escaping (ByteBuffer, SocketAddress) -> Void, completed: @escaping () -> Void) {
        self.received = received
        self.completed = completed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        received(envelope.data, envelope.remoteAddress)
    }

    func channelReadComplete(context: ChannelHandlerContext) { completed() }
}

extension Channel {
    /// Sends a datagram with the next flush; or none if too many are waiting, as a kernel would.
    func send(_ datagram: ByteBuffer, to address: SocketAddress) {
        guard isWritable else { return }
        write(AddressedEnvelope(remoteAddress: address, data: datagram), promise: nil)
    }
}
