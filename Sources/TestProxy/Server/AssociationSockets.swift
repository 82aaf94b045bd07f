import NIOCore

/// The sockets of a UDP association.
struct AssociationSockets: Sendable {
    /// The relay, which the client sends to.
    var relay: any Channel
    /// The sockets that send to targets, one for each family; a machine may have no IPv6.
    var ipv4: any Channel
    var ipv6: (any Channel)?
    /// Another port at the relay's address, for a script that wants one.
    var stranger: (any Channel)?

    var all: [any Channel] { [relay, ipv4] + [ipv6, stranger].compactMap { $0 } }

    func close() {
        for socket in all { socket.close(promise: nil) }
    }

    /// Opens the relay at a numeric address, and the others with it.
    static func open(at address: Address, script: Script, eventLoop: any EventLoop) -> EventLoopFuture<Self> {
        let relay = DatagramSocket.open(at: address, on: eventLoop)
        let ipv4 = DatagramSocket.open(at: .ipv4(Array(repeating: 0, count: 4)), on: eventLoop)
        let ipv6 = DatagramSocket.open(at: .ipv6(Array(repeating: 0, count: 16)), on: eventLoop)
            .map(Optional.some).recover { _ in nil }
        let stranger =
            script.datagrams.strangers == nil
            ? eventLoop.makeSucceededFuture(nil)
            : DatagramSocket.open(at: address, on: eventLoop).map(Optional.some)
        let opening = relay.and(ipv4).and(ipv6.and(stranger)).map {
            AssociationSockets(relay: $0.0, ipv4: $0.1, ipv6: $1.0, stranger: $1.1)
        }
        opening.whenFailure { _ in
            for socket in [relay.map(Optional.some), ipv4.map(Optional.some), ipv6, stranger] {
                socket.whenSuccess { $0?.close(promise: nil) }
            }
        }
        return opening
    }
}
