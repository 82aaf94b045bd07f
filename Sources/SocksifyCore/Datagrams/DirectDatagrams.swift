import Addressing
import CPreload
import SharedTables

/// Sources of datagrams that came directly although the rules lead to them through a proxy: a server's clients. Answers
/// to them go direct, as on an accepted connection.
struct DirectDatagrams: @unchecked Sendable {
    /// A lock, and the memory of the peers: 0 before the first.
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

    /// A datagram has come to the socket from there. Under a seccomp filter of its own the process may be unable to ask
    /// for the socket's port.
    func note(_ peer: SocketAddress, _ socket: Socket) {
        guard process_is_confined() == 0, let port = try? socket.name.port,
            let memory = kernel_map_once(slot, DirectPeers.size)
        else { return }
        withLock { DirectPeers(memory).note(peer, at: port) }
    }

    /// Whether a datagram of the socket to this peer is an answer.
    func areAnswered(_ peer: SocketAddress, by socket: Socket) -> Bool {
        guard let memory = slot.pointee, let port = try? socket.name.port else { return false }
        return withLock { DirectPeers(memory).contains(peer, at: port) } ?? false
    }

    /// nil in a signal handler that has interrupted the owner of the lock.
    @discardableResult
    private func withLock<Result>(_ body: () -> Result) -> Result? {
        if case .isOwn = lock.acquire() { return nil }
        defer { lock.release() }
        return body()
    }
}
