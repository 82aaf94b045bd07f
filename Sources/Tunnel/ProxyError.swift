import Addressing
import HTTPConnect
import SOCKS4
import SOCKS5

/// What a proxy of a chain did wrong, or refused, or cannot be asked for.
public enum ProxyError: Error, Equatable, Sendable {
    case socks5(SOCKS5.ProtocolError)
    case socks4(SOCKS4.ProtocolError)
    case http(HTTPConnect.ProtocolError)
    /// The next proxy is at a path, to which no other one can connect.
    case unreachable
    /// Its protocol has no form for anything but a connection.
    case connectionsAlone
    /// What is known of the handshake contradicts itself.
    case outOfStep

    /// What it says of the proxy.
    public var kind: FailureKind {
        switch self {
        case .unreachable, .connectionsAlone, .socks4(.ipv6Destination), .socks4(.reservedDestination),
            .socks4(.unusableName), .socks4(.unusableUserID), .http(.unusableName), .http(.unusableCredentials):
            .incapability
        case .socks5(.rejected), .http(.rejected): .refusal
        // As of sshd, for a destination that it cannot connect to.
        case .socks5(.closedInPlaceOfReply): .refusal
        // These are about who asks.
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
