import Addressing
import HTTPConnect
import SOCKS4
import SOCKS5

/// A failure of a proxy in a chain: a violation of its protocol, a refusal, or an inexpressible request.
public enum ProxyError: Error, Equatable, Sendable {
    case socks5(SOCKS5.ProtocolError)
    case socks4(SOCKS4.ProtocolError)
    case http(HTTPConnect.ProtocolError)
    /// The next proxy is at a Unix-domain socket, which another proxy cannot reach.
    case unreachable
    /// Its protocol only supports connections.
    case connectionsAlone
    /// The state of the handshake is inconsistent.
    case outOfStep

    /// What the error says about the proxy.
    public var kind: FailureKind {
        switch self {
        case .unreachable, .connectionsAlone, .socks4(.ipv6Destination), .socks4(.reservedDestination),
            .socks4(.unusableName), .socks4(.unusableUserID), .http(.unusableName), .http(.unusableCredentials),
            .socks5(.mechanismFailed), .socks5(.mechanismMissing):
            .incapability
        case .socks5(.rejected), .http(.rejected): .refusal
        // sshd does this for a destination that it cannot connect to.
        case .socks5(.closedInPlaceOfReply): .refusal
        // These are about the client, not the destination.
        case .socks4(.rejected(.identUnreachable)), .socks4(.rejected(.userIDMismatch)): .fault
        case .socks4(.rejected): .refusal
        case .socks5(.closed), .socks4(.closed), .http(.closed): .silence
        case .outOfStep: .abortion
        case .socks5, .socks4, .http: .fault
        }
    }

    /// Writes what happened, for a line that names the proxy before it.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .socks5(let error): error.write(to: &sink)
        case .socks4(let error): error.write(to: &sink)
        case .http(let error): error.write(to: &sink)
        case .unreachable: sink.append("cannot be reached from here")
        case .connectionsAlone: sink.append("supports only connections")
        case .outOfStep: sink.append("handshake out of step")
        }
    }
}
