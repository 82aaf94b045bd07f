import NIOCore
import NIOPosix
import Synchronization

/// A listening socket and the connections that it accepted.
///
/// It keeps its port as long as it lives, also after it has stopped listening.
final class Listener: Sendable {
    private let channel: any Channel
    private let connections: Connections
    /// A path has none.
    private let closedPort: ClosedPort?

    var port: Int { closedPort?.port ?? 0 }

    private init(channel: any Channel, connections: Connections, closedPort: ClosedPort? = nil) {
        self.channel = channel
        self.connections = connections
        self.closedPort = closedPort
    }

    static func start(
        host: String, port: Int, initializer: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> Listener {
        let connections = Connections()
        var address = try SocketAddress.makeAddressResolvingHost(host, port: port)
        let closedPort = try ClosedPort(at: address)
        address.port = closedPort.port
        let channel = try await bootstrap(connections, initializer)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .bind(to: address)
            .get()
        return Listener(channel: channel, connections: connections, closedPort: closedPort)
    }

    /// Listens at a path, which is free, or left over by another listener; it is gone with the listener.
    static func start(
        unixPath path: String, initializer: @escaping @Sendable (any Channel) throws -> Void
    ) async throws -> Listener {
        let connections = Connections()
        let channel = try await bootstrap(connections, initializer)
            .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
            .get()
        return Listener(channel: channel, connections: connections)
    }

    private static func bootstrap(
        _ connections: Connections, _ initializer: @escaping @Sendable (any Channel) throws -> Void
    ) -> ServerBootstrap {
        ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                connections.add(channel)
                return channel.eventLoop.makeCompletedFuture { try initializer(channel) }
            }
    }

    func stop() async {
        try? await channel.close()
        for connection in connections.all { try? await connection.close() }
    }
}

/// The open connections of a listener. The event loops write it; the thread that stops the listener reads it.
private final class Connections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    var all: [any Channel] { channels.withLock { Array($0.values) } }

    func add(_ channel: any Channel) {
        let identifier = ObjectIdentifier(channel)
        channels.withLock { $0[identifier] = channel }
        channel.closeFuture.whenComplete { _ in
            self.channels.withLock { _ = $0.removeValue(forKey: identifier) }
        }
    }
}
