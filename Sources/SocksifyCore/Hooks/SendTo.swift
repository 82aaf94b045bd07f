import Addressing
import CPreload
import ProxyConfig

/// Sends that name an address (sendto(2)).
public enum SendTo {
    /// Decides on sendto(2), sendmsg(2) or one message of sendmmsg(2) on a socket that is not carried.
    ///
    /// MSG_FASTOPEN on a stream is a connect(2) that brings data: it succeeds when the socket is connected, and the data
    /// is then sent without address. For a datagram that is to be carried, the socket becomes one that is.
    public static func decide(
        _ descriptor: Int32, to address: UnsafePointer<sockaddr>, length: socklen_t, flags: Int32
    ) -> Outcome {
        let socket = Socket(descriptor: descriptor)
        guard case .internet(let peer) = NamedAddress(address, length: length, of: socket) else { return .pass }
        let isReplaced = Runtime.existing?.pointee.connections.pointee.known(of: socket) != nil
        // Of what is not told which it is, connect(2) judges.
        if flags & Int32(MSG_FASTOPEN) != 0, isReplaced || socket.isTCP ?? true {
            return Connect.connect(descriptor, to: address, length: length)
        }
        // A connected stream of TCP ignores the address (send(2)), one of a Unix domain does not.
        if isReplaced { return .succeeded }
        switch Runtime.state {
        case .unusable: return refuse(socket, .networkUnreachable)
        case .short(let errno): return refuse(socket, errno)
        case .ready(let runtime):
            let outcome = decide(socket, to: peer, runtime)
            if case .direct(let reason) = outcome { reason.log(.sending, by: socket, to: peer, runtime.pointee.names) }
            return outcome
        }
    }

    private static func decide(_ socket: Socket, to peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Outcome {
        let decision = Datagram.decide(on: peer, socket, runtime.pointee.datagrams)
        if case .direct(let reason) = decision {
            // What another process, or this one by another number, has made of the socket.
            if SocketOptions.mayHold(socket), runtime.pointee.carried.place(of: socket.descriptor) != nil {
                runtime.pointee.carried.mark(socket.descriptor)
            }
            return .direct(reason)
        }
        switch (Kind(of: socket), decision) {
        case (.otherOfIP, _): return OtherProtocols.send(to: peer, runtime)
        case (_, .refuse(let errno)): return refuse(socket, errno)
        case (.datagrams(let domain), _):
            do throws(Errno) {
                _ = try runtime.pointee.carried.add(socket.descriptor, domain: domain)
            } catch {
                return .failed(error)
            }
            return .pass
        case (.stream, _), (.noIP, _): return .pass
        case (.unknown, _): return .pass(unlessRefused: socket)
        }
    }

    /// What a socket is to a send that names an address.
    private enum Kind {
        /// One of UDP, in this domain.
        case datagrams(domain: Int32)
        /// One of TCP, which ignores the address when it is connected (send(2)).
        case stream
        case otherOfIP
        /// libc's own words are right.
        case noIP
        /// The kernel does not tell, or it is no socket.
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

    private static func refuse(_ socket: Socket, _ errno: Errno) -> Outcome {
        switch Kind(of: socket) {
        case .datagrams, .otherOfIP: .failed(errno)
        case .stream, .noIP: .pass
        case .unknown: .pass(unlessRefused: socket)
        }
    }
}
