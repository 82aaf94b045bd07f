import Addressing
import CPreload
import ProxyConfig

/// Calls that receive datagrams, and what else is asked of their sockets.
extension Datagram {
    /// Before a call that receives; what is under way goes on first. It passes when the socket is not relayed.
    public static func prepareToReceive(
        _ descriptor: Int32, _ plan: UnsafeMutablePointer<udp_receive_plan>
    ) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        return prepareToReceive(descriptor, plan, runtime.pointee.datagrams)
    }

    /// The same, on little stack, where nothing is under way and all is known of the socket; false where not.
    public static func prepareToReceiveQuickly(
        _ descriptor: Int32, _ plan: UnsafeMutablePointer<udp_receive_plan>
    ) -> Bool {
        guard internal_any() == 0, let runtime = Runtime.existing else { return false }
        return runtime.pointee.datagrams.pointee.relayed.prepareQuickly(descriptor, plan)
    }

    /// Decapsulates a datagram; false if the program is not to see it.
    public static func decapsulate(
        _ datagram: UnsafePointer<udp_received>, _ decapsulated: UnsafeMutablePointer<udp_decapsulated>
    ) -> Bool {
        guard let runtime = Runtime.existing else { return false }
        return decapsulate(datagram, decapsulated, runtime.pointee.datagrams)
    }

    /// A datagram has come directly to a socket that is not relayed: what answers it goes the same way.
    public static func received(
        _ descriptor: Int32, from address: UnsafePointer<sockaddr>, length: socklen_t
    ) {
        guard let source = SocketAddress(address, length: length), case .ready(let runtime) = Runtime.state else {
            return
        }
        received(descriptor, from: source, runtime.pointee.datagrams)
    }

    /// The kernel was told that nobody listens where it has the socket connected to. Returns whether the program is to
    /// learn of it.
    public static func isRefused(_ descriptor: Int32) -> Bool {
        guard let runtime = Runtime.existing else { return false }
        return isRefused(descriptor, runtime.pointee.datagrams)
    }

    /// Whether the kernel may cut or join the datagrams of a socket (udp(7), UDP_SEGMENT, UDP_GRO): not where each may
    /// have to go with a header of its own.
    public static func allowsOffload(_ descriptor: Int32) -> Bool {
        switch Runtime.state {
        case .unusable, .short: false
        case .ready(let runtime): runtime.pointee.configuration.udp == .direct
        }
    }

    /// Whether the descriptor's socket is relayed, as far as the kernel tells.
    public static func isRelayed(_ descriptor: Int32) -> Bool {
        guard let runtime = Runtime.existing else { return false }
        if case .none = runtime.pointee.relayed.look(for: descriptor) { return false }
        return true
    }

    /// SO_RCVTIMEO in milliseconds; nil when it is not set.
    public static func receiveTimeout(_ descriptor: Int32) -> Int? {
        Socket(descriptor: descriptor).receiveTimeout
    }
}
