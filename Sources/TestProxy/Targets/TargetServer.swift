import NIOCore
import NIOPosix

/// A small server for the far side of a proxy.
public final class TargetServer: Stoppable {
    /// What it does with its connections.
    public enum Behaviour: Sendable {
        /// Sends back what it receives.
        case echo
        /// Speaks first, as SSH and FTP do, then echoes.
        case banner([UInt8])
        /// Answers HTTP requests.
        case http(@Sendable (HTTPRequest) -> HTTPResponse)
        /// Accepts, and neither reads nor answers.
        case silent
    }

    private let listener: Listener

    /// The address that it listens at.
    public let host: String
    public var port: Int { listener.port }

    private init(listener: Listener, host: String) {
        self.listener = listener
        self.host = host
    }

    /// Starts a server. Port 0 takes any that is free; `::` listens for both families.
    public static func start(
        _ behaviour: Behaviour, host: String = "127.0.0.1", port: Int = 0
    ) async throws -> TargetServer {
        let listener = try await Listener.start(host: host, port: port) { channel in
            switch behaviour {
            case .echo: try channel.pipeline.syncOperations.addHandler(EchoHandler(greeting: []))
            case .banner(let banner): try channel.pipeline.syncOperations.addHandler(EchoHandler(greeting: banner))
            case .http(let answer): try channel.pipeline.syncOperations.addHandler(HTTPHandler(answer: answer))
            case .silent: try channel.syncOptions?.setOption(.autoRead, value: false)
            }
        }
        return TargetServer(listener: listener, host: host)
    }

    /// Stops listening and ends every connection. The port stays closed for as long as this lives.
    public func stop() async { await listener.stop() }
}

/// Sends a greeting, then sends back what it receives, until the client has no more to say.
private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let greeting: [UInt8]

    init(greeting: [UInt8]) { self.greeting = greeting }

    func channelActive(context: ChannelHandlerContext) {
        guard !greeting.isEmpty else { return }
        context.writeAndFlush(NIOAny(ByteBuffer(bytes: greeting)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { context.write(data, promise: nil) }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // What is still to be echoed goes first.
        if event as? ChannelEvent == .inputClosed {
            context.writeAndFlush(NIOAny(ByteBuffer())).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
