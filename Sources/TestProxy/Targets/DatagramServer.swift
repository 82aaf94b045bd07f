import NIOCore
import NIOPosix

/// A small UDP server for the far side of a proxy.
public final class DatagramServer: Stoppable {
    private let channel: any Channel

    /// The address that it listens at.
    public let host: String
    public var port: Int { channel.localAddress?.port ?? 0 }

    private init(channel: any Channel, host: String) {
        self.channel = channel
        self.host = host
    }

    /// Starts a server that answers each datagram with those that `answer` gives for it and its sender's port; without
    /// `answer`, with the same again. Port 0 takes any that is free.
    public static func start(
        host: String = "127.0.0.1", port: Int = 0, answer: (@Sendable ([UInt8], Int) -> [[UInt8]])? = nil
    ) async throws -> DatagramServer {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let channel = try await DatagramSocket.open(
            at: try SocketAddress.makeAddressResolvingHost(host, port: port), on: eventLoop
        ).flatMapThrowing { channel in
            let respond: (ByteBuffer, SocketAddress) -> Void = { datagram, source in
                guard let answer else { return channel.send(datagram, to: source) }
                for bytes in answer(Array(datagram.readableBytesView), source.port ?? 0) {
                    channel.send(ByteBuffer(bytes: bytes), to: source)
                }
            }
            try channel.pipeline.syncOperations.addHandler(
                DatagramHandler(received: respond, completed: { channel.flush() }))
            return channel
        }.get()
        return DatagramServer(channel: channel, host: host)
    }

    public func stop() async { try? await channel.close() }
}
