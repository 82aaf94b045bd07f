import Addressing
import CLibC

/// Sends that name an address.
public enum Datagram {
    /// Decides on sendto(2), sendmsg(2) or one message of sendmmsg(2).
    ///
    /// MSG_FASTOPEN on a stream is a connect(2) that brings data: it succeeds when the socket is connected, and the
    /// data is then sent without address. A datagram that would have to go through the proxy is refused.
    public static func send(
        _ descriptor: Int32, to address: UnsafePointer<sockaddr>, length: socklen_t, flags: Int32
    ) -> Outcome {
        guard let peer = SocketAddress(address, length: length) else { return .pass }
        let socket = Socket(descriptor: descriptor)
        if flags & Int32(MSG_FASTOPEN) != 0, socket.isTCP == true {
            return Connect.connect(descriptor, to: address, length: length)
        }
        switch Runtime.state {
        case .beingMade: return .pass
        case .unusable: return refuse(socket, .networkUnreachable)
        case .ready(let runtime):
            switch Connect.decide(on: peer, runtime) {
            case .pass: return .pass
            case .refuse(let errno): return refuse(socket, errno)
            case .proxy: return refuse(socket, .networkUnreachable)
            }
        }
    }

    /// A connected stream ignores the address (send(2)); what is no socket, or none of IP, fails in libc's own words.
    private static func refuse(_ socket: Socket, _ errno: Errno) -> Outcome {
        socket.isTCP == false && socket.isInternet ? .failed(errno) : .pass
    }
}
