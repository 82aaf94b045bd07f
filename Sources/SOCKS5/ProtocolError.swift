import Addressing

/// What a proxy did wrong, or refused.
public enum ProtocolError: Error, Equatable, Sendable {
    /// A message opened with this byte in place of the protocol's version: the other side speaks no SOCKS5.
    case wrongVersion(UInt8)
    /// The proxy accepts none of the methods that were offered.
    case noAcceptableMethod
    /// The proxy chose a method that was not offered.
    case methodNotOffered(Method)
    /// The proxy refused user name and password with this status (RFC 1929 section 2).
    case credentialsRefused(status: UInt8)
    /// The proxy refused the request.
    case rejected(ReplyCode)
    /// The reply's ATYP is none of RFC 1928's.
    case unknownAddressType(UInt8)
    /// The proxy closed the connection in the middle of the handshake.
    case closed
    /// The proxy took the request, and closed the connection without a byte of the reply, by which sshd refuses it.
    case closedInPlaceOfReply
    /// The caller handed in another number of bytes than was asked for.
    case unexpectedLength(Int)
    /// The handshake has ended; nothing can follow.
    case handshakeOver

    /// Writes what happened, for a log line that names the proxy before it.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .wrongVersion(let byte):
            sink.append("does not speak SOCKS5 (its answer starts with byte ")
            sink.append(decimal: byte)
            sink.append(")")
        case .noAcceptableMethod:
            sink.append("requires an authentication method that is not configured")
        case .methodNotOffered(let method):
            sink.append("chose authentication method ")
            sink.append(decimal: method.code)
            sink.append(", which was not offered")
        case .credentialsRefused:
            sink.append("refused the user name or the password")
        case .rejected(let code):
            sink.append("refused: ")
            if let reason = code.reason {
                sink.append(reason)
            } else {
                sink.append("reply code ")
                sink.append(decimal: code.code)
            }
        case .unknownAddressType(let code):
            sink.append("answered with address type ")
            sink.append(decimal: code)
            sink.append(", which SOCKS5 does not know")
        case .closed:
            sink.append("closed the connection during the handshake")
        case .closedInPlaceOfReply:
            sink.append("closed the connection in place of a reply")
        case .unexpectedLength, .handshakeOver:
            sink.append("handshake out of step")
        }
    }
}
