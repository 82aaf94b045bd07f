import NIOCore

/// Passes the datagrams of an association between its sockets, all on the client's event loop.
///
/// The relay reads all datagrams that are there, records them, and then sends: a test that has the answer finds it in
/// the session.
final class DatagramRelay {
    /// The state of a destination.
    private enum Target {
        /// Its address is being looked up; meanwhile these wait.
        case resolving([ByteBuffer])
        case known(SocketAddress, any Channel)
        case unreachable
    }

    private let sockets: AssociationSockets
    private let resolver: Resolver
    private let record: (AssociationRecord) -> Void
    private let end: () -> Void
    private var association: Association
    private var targets: [Endpoint: Target] = [:]
    /// The destinations sent to so far, and the client's names for them.
    private var names: [SocketAddress: Endpoint] = [:]

    /// Calls `record` before the effect of an event is visible outside. Calls `end` when the association ends, unless
    /// the control connection ended it.
    init(
        _ association: Association, sockets: AssociationSockets, resolver: Resolver,
        record: @escaping (AssociationRecord) -> Void, end: @escaping () -> Void
    ) throws {
        self.association = association
        self.sockets = sockets
        self.resolver = resolver
        self.record = record
        self.end = end
        record(association.record)
        try sockets.relay.pipeline.syncOperations.addHandler(
            DatagramHandler(received: relayReceived, completed: flush))
        for channel in [sockets.ipv4, sockets.ipv6].compactMap({ $0 }) {
            try channel.pipeline.syncOperations.addHandler(
                DatagramHandler(received: targetReceived, completed: flush))
        }
        // A failed socket relays nothing: the client must learn of it.
        for channel in sockets.all { channel.closeFuture.assumeIsolated().whenComplete { _ in end() } }
    }

    private func relayReceived(_ bytes: ByteBuffer, from source: SocketAddress) {
        for datagram in association.relayReceived(bytes, from: source) {
            send(datagram.payload, to: datagram.endpoint)
        }
    }

    private func targetReceived(_ payload: ByteBuffer, from source: SocketAddress) {
        let endpoint = Endpoint(Address(source), port: UInt16(source.port ?? 0))
        let deliveries = association.targetReceived(payload, from: endpoint, calledAs: names[source])
        guard let client = association.client else { return }
        for delivery in deliveries {
            switch delivery {
            case .fromRelay(let bytes): sockets.relay.send(bytes, to: client)
            case .fromStranger(let bytes): sockets.stranger?.send(bytes, to: client)
            }
        }
    }

    private func send(_ payload: ByteBuffer, to endpoint: Endpoint) {
        switch targets[endpoint] {
        case .known(let address, let channel):
            channel.send(payload, to: address)
        case .resolving(let waiting):
            targets[endpoint] = .resolving(waiting + [payload])
        case .unreachable:
            return
        case nil:
            targets[endpoint] = .resolving([payload])
            resolver.addresses(of: endpoint).assumeIsolated().whenComplete { result in
                self.resolved(endpoint, to: (try? result.get()) ?? [])
            }
        }
    }

    /// Sends the waiting datagrams to the first address that has a route.
    private func resolved(_ endpoint: Endpoint, to addresses: [SocketAddress]) {
        guard case .resolving(let waiting) = targets[endpoint] else { return }
        targets[endpoint] = .unreachable
        for address in addresses where DatagramSocket.canSend(to: address) {
            guard let channel = address.protocol == .inet ? sockets.ipv4 : sockets.ipv6 else { continue }
            targets[endpoint] = .known(address, channel)
            names[address] = endpoint
            for payload in waiting { channel.send(payload, to: address) }
            return flush()
        }
    }

    private func flush() {
        record(association.record)
        for channel in sockets.all { channel.flush() }
        if association.isOver { end() }
    }
}
