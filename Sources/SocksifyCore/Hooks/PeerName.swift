import Addressing
import CPreload
import SharedTables

/// getpeername(2): the address that the program connected to, not that of the proxy.
public enum PeerName {
    /// The result of the hook.
    public enum Answer {
        /// libc's own answer is right: the socket is not connected to the proxy, or the program itself connected it
        /// there.
        case byLibC
        case peer(SocketAddress)
        /// The connection is still pending.
        case notConnected
    }

    /// - Parameters:
    ///   - address: the kernel's answer, as far as there was `room`.
    ///   - length: of the whole.
    public static func peer(
        of descriptor: Int32, said address: UnsafePointer<sockaddr>, length: socklen_t, room: socklen_t
    ) -> Answer {
        // The kernel is asked again only if there was too little room.
        let kernelPeer =
            length <= room ? SocketAddress(address, length: length) : Socket(descriptor: descriptor).peer
        // A peer of another family is not a proxy's address, unless a substitute socket is there.
        guard kernelPeer != nil || descriptor_may_be_substitute(descriptor) != 0 else { return .byLibC }
        guard let runtime = Runtime.ofTree else { return .byLibC }
        // A datagram peer with port 0 counts as none.
        if let peer = Datagram.peer(of: descriptor, runtime.pointee.datagrams) {
            return peer.port == 0 ? .notConnected : .peer(peer)
        }
        // First: a substitute may take the socket's descriptors until the connection is established.
        if descriptor_may_be_pending(descriptor) != 0 {
            switch PendingHandle.of(descriptor, runtime.pointee.connections) {
            case .none: break
            case .busy, .refused: return .notConnected
            case .entered(var pending):
                defer { pending.leave() }
                guard case .established = pending.step() else { return .notConnected }
            }
        }
        let socket = Socket(descriptor: descriptor)
        let isSubstitute = runtime.pointee.connections.pointee.original(of: socket) != nil
        if !isSubstitute {
            guard let kernelPeer, runtime.pointee.proxyAddresses.matches(kernelPeer) else { return .byLibC }
        }
        guard let cookie = socket.cookie else { return .byLibC }
        if let peer = runtime.pointee.sockets.peer(cookie: cookie) { return .peer(peer) }
        return isSubstitute ? .notConnected : .byLibC
    }
}

extension Runtime {
    /// The runtime, also for a process that has not connected anything itself: the socket may be that of another
    /// process of the tree.
    static var ofTree: UnsafePointer<Runtime>? {
        if let existing { return existing }
        guard process_is_confined() == 0, SharedTableFile.exists, case .ready(let runtime) = state else { return nil }
        return runtime
    }
}
