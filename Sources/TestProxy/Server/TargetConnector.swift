import NIOCore
import NIOPosix

/// Reaches what a request asks for, on the client's event loop, not reading from it yet.
struct TargetConnector {
    var script: Script
    var eventLoop: any EventLoop

    func connect(to endpoint: Endpoint) -> EventLoopFuture<any Channel> {
        Resolver(names: script.names, eventLoop: eventLoop).addresses(of: endpoint).flatMap { connect(to: $0[...]) }
    }

    /// The first that accepts; if none does, the error of the last.
    private func connect(to candidates: ArraySlice<SocketAddress>) -> EventLoopFuture<any Channel> {
        guard let address = candidates.first else {
            return eventLoop.makeFailedFuture(UnknownName(name: ""))
        }
        let attempt = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(script.connectTimeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .connect(to: address)
        let rest = candidates.dropFirst()
        return rest.isEmpty ? attempt : attempt.flatMapError { _ in connect(to: rest) }
    }
}
