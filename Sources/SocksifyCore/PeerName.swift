import Addressing
import CLibC
import SocketTable

/// getpeername(2): the address that the program connected to, not that of the proxy.
public enum PeerName {
    /// What the hook answers.
    public enum Answer {
        /// libc's own answer is right: the socket is not connected to the proxy, or the program connected it there
        /// itself.
        case byLibC
        case peer(SocketAddress)
        /// The way through the proxy is not made yet.
        case notConnected
    }

    public static func peer(of descriptor: Int32) -> Answer {
        guard let runtime = Runtime.existing ?? runtimeForInherited else { return .byLibC }
        if let peer = Datagram.peer(of: descriptor, runtime) { return .peer(peer) }
        let socket = Socket(descriptor: descriptor)
        guard let kernelPeer = socket.peer, runtime.pointee.firstHops.matches(kernelPeer), let cookie = socket.cookie
        else { return .byLibC }
        if may_be_in_flight(descriptor) != 0 {
            switch HandshakeInFlight.of(descriptor, runtime) {
            case .none: break
            case .busy: return .notConnected
            case .entered(var flight):
                defer { flight.leave() }
                guard case .established = flight.step() else { return .notConnected }
            }
        }
        return runtime.pointee.sockets.peer(cookie: cookie).map { .peer($0) } ?? .byLibC
    }
    /// The runtime of a process that has not connected anything itself. The socket may be another's of the same tree,
    /// if one has.
    private static var runtimeForInherited: UnsafePointer<Runtime>? {
        guard SharedTableFile.exists, case .ready(let runtime) = Runtime.state else { return nil }
        return runtime
    }
}
