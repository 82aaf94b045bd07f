import Addressing
import CPreload
import ProxyConfig

/// A message with an address (sendto(2)), or on a socket that may be relayed.
public struct SendTo {
    private let socket: Socket
    private let message: UnsafePointer<msghdr>
    private let flags: Int32
    private let encapsulation: UnsafeMutablePointer<udp_encapsulation>

    /// Decides on a message of sendto(2), sendmsg(2) or sendmmsg(2), and on one without address on a socket that may be
    /// relayed. A datagram to relay is encapsulated at once, whether its socket is newly relayed or not.
    public static func send(
        _ descriptor: Int32, _ message: UnsafePointer<msghdr>, flags: Int32,
        _ encapsulation: UnsafeMutablePointer<udp_encapsulation>
    ) -> Datagram.Sending {
        let socket = Socket(descriptor: descriptor)
        return SendTo(socket: socket, message: message, flags: flags, encapsulation: encapsulation).decide()
    }

    private func decide() -> Datagram.Sending {
        if descriptor_may_be_relayed(socket.descriptor) != 0, let runtime = Runtime.existing {
            let tick = descriptor_tick()
            switch runtime.pointee.relayed.find(socket.descriptor, at: tick) {
            case .slot(let slot): return datagram(from: slot, tick, runtime).send(as: nil)
            case .none: break
            case .refused(let errno): return .failed(errno)
            }
        }
        guard case .internet(let peer) = NamedAddress(of: message, by: socket) else { return .pass }
        let isSubstitute = Runtime.existing?.pointee.connections.pointee.original(of: socket) != nil
        // If the kernel does not say which it is, connect(2) decides.
        if flags & Int32(MSG_FASTOPEN) != 0, isSubstitute || socket.isTCP ?? true { return connect() }
        // A connected TCP stream ignores the address (send(2)), a Unix-domain one does not.
        if isSubstitute { return .unaddressed }
        switch Runtime.state {
        case .unusable: return refuse(.networkUnreachable)
        case .short(let errno): return refuse(errno)
        case .ready(let runtime): return decide(on: peer, runtime)
        }
    }

    /// MSG_FASTOPEN on a stream is a connect(2) with data: it succeeds when the socket is connected, and the data are
    /// then sent without address.
    private func connect() -> Datagram.Sending {
        let name = UnsafeRawPointer(message.pointee.msg_name)?.assumingMemoryBound(to: sockaddr.self)
        return switch Connect.connect(socket.descriptor, to: name, length: message.pointee.msg_namelen) {
        case .pass, .direct: .pass
        case .succeeded: .unaddressed
        case .failed(let errno): .failed(errno)
        }
    }

    private func decide(on peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Datagram.Sending {
        let decision = Datagram.decide(on: peer, socket, runtime.pointee.datagrams)
        if case .direct(let reason) = decision {
            // Another process, or this one by another descriptor, has made the socket a relayed one.
            guard SocketOptions.mayHold(socket), let slot = runtime.pointee.relayed.slot(of: socket.descriptor) else {
                reason.log(.sending, by: socket, to: peer, runtime.pointee.names)
                return .pass
            }
            runtime.pointee.relayed.mark(socket.descriptor)
            return datagram(from: slot, descriptor_tick(), runtime).send(as: decision)
        }
        switch Kind(of: socket) {
        case .datagrams(let domain):
            if case .refuse(let errno) = decision { return .failed(errno) }
            return carry(domain: domain, as: decision, runtime)
        case .otherOfIP: return sendByOtherProtocol(to: peer, runtime)
        case .stream, .noIP: return .pass
        case .unknown: return socket.refusal.map { .failed($0) } ?? .pass
        }
    }

    /// Makes the socket a relayed one.
    private func carry(
        domain: Int32, as decision: Datagram.Decision, _ runtime: UnsafePointer<Runtime>
    ) -> Datagram.Sending {
        do throws(Errno) {
            _ = try runtime.pointee.relayed.add(socket.descriptor, domain: domain)
        } catch {
            return .failed(error)
        }
        switch runtime.pointee.relayed.find(socket.descriptor) {
        case .slot(let slot): return datagram(from: slot, descriptor_tick(), runtime).send(as: decision)
        // Another thread has closed it.
        case .none: return .failed(.outOfBuffers)
        case .refused(let errno): return .failed(errno)
        }
    }

    /// The datagram of a relayed socket.
    private func datagram(from slot: Int, _ tick: UInt32, _ runtime: UnsafePointer<Runtime>) -> OutgoingDatagram {
        OutgoingDatagram(
            message: message, flags: flags, socket: socket, slot: slot, tick: tick, encapsulation: encapsulation,
            datagrams: runtime.pointee.datagrams)
    }

    private func sendByOtherProtocol(to peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Datagram.Sending {
        switch UnsupportedProtocols.send(to: peer, runtime) {
        case .failed(let errno): return .failed(errno)
        case .direct(let reason):
            reason.log(.sending, by: socket, to: peer, runtime.pointee.names)
            return .pass
        case .pass, .succeeded: return .pass
        }
    }

    private func refuse(_ errno: Errno) -> Datagram.Sending {
        switch Kind(of: socket) {
        case .datagrams, .otherOfIP: .failed(errno)
        case .stream, .noIP: .pass
        case .unknown: socket.refusal.map { .failed($0) } ?? .pass
        }
    }

    /// The kind of a socket, for a send with an address.
    private enum Kind {
        /// UDP, in this domain.
        case datagrams(domain: Int32)
        /// TCP, which ignores the address when connected (send(2)).
        case stream
        case otherOfIP
        /// libc's own error is right.
        case noIP
        /// The kernel does not say, or it is not a socket.
        case unknown

        init(of socket: Socket) {
            guard let transport = socket.transport else {
                self = .unknown
                return
            }
            let domain = transport == .tcp ? AF_INET : socket.domain
            self =
                switch (transport, domain) {
                case (.tcp, _): .stream
                case (_, -1): .unknown
                case (.udp, AF_INET), (.udp, AF_INET6): .datagrams(domain: domain)
                case (.other, AF_INET), (.other, AF_INET6): .otherOfIP
                default: .noIP
                }
        }
    }
}
