import Addressing
import CPreload
import SharedTables

/// Datagrams that have come to this process directly though the rules lead to their source through a proxy: a server's
/// clients. They are answered directly, as what comes on a connection that was accepted is.
struct DirectDatagrams: @unchecked Sendable {
    /// A lock, and where the peers lie: 0 before the first.
    private let own: UnsafeMutableRawPointer

    static var ownSize: Int { 16 }

    /// - Parameter own: `ownSize` bytes, zero-filled, private.
    init(own: UnsafeMutableRawPointer) {
        self.own = own
    }

    private var lock: OwnerLock { OwnerLock(own.assumingMemoryBound(to: UInt64.self)) }
    private var slot: UnsafeMutablePointer<UnsafeMutableRawPointer?> {
        (own + 8).assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    /// A datagram has come to the socket from there. A process that has confined itself may not be able to ask for the
    /// socket's port.
    func note(_ peer: SocketAddress, _ socket: Socket) {
        guard process_is_confined() == 0, let port = try? socket.name.port,
            let memory = kernel_map_once(slot, DirectPeers.size)
        else { return }
        withLock { DirectPeers(memory).note(peer, at: port) }
    }

    /// Whether what the socket sends there is an answer.
    func areAnswered(_ peer: SocketAddress, by socket: Socket) -> Bool {
        guard let memory = slot.pointee, let port = try? socket.name.port else { return false }
        return withLock { DirectPeers(memory).contains(peer, at: port) } ?? false
    }

    /// nil in a handler of a signal that has interrupted the lock's owner.
    @discardableResult
    private func withLock<Result>(_ body: () -> Result) -> Result? {
        if case .isOwn = lock.acquire() { return nil }
        defer { lock.release() }
        return body()
    }
}
