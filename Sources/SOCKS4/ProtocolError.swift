import Addressing

/// What a proxy did wrong, or refused, or cannot be asked for.
public enum ProtocolError: Error, Equatable, Sendable {
    /// SOCKS4 has IPv4 addresses and names alone.
    case ipv6Destination
    /// 0.0.0.1 to 0.0.0.255: SOCKS4a says by them that a name follows.
    case reservedDestination
    /// The name has a byte in it that ends it.
    case unusableName
    /// The user ID has a byte in it that ends it, or more than 255 bytes.
    case unusableUserID
    /// The reply opened with this byte: the other side speaks no SOCKS4.
    case wrongVersion(UInt8)
    /// The proxy refused the request.
    case rejected(ReplyCode)
    /// The proxy closed the connection in the middle of the handshake.
    case closed
    /// The caller handed in another number of bytes than was asked for.
    case unexpectedLength(Int)
    /// The handshake has ended; nothing can follow.
    case handshakeOver

    /// Writes what happened, for a log line that names the proxy before it.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .ipv6Destination:
            sink.append("cannot be asked for an IPv6 address, which SOCKS4 does not support")
        case .reservedDestination:
            sink.append("cannot be asked for 0.0.0.1 to 0.0.0.255, which announce a name in SOCKS4")
        case .unusableName:
            sink.append("cannot be asked for a name with a zero byte in it")
        case .unusableUserID:
            sink.append("cannot take a user ID of more than 255 bytes, or with a zero byte in it")
        case .wrongVersion(let byte):
            sink.append("does not speak SOCKS4 (its answer starts with byte ")
            sink.append(decimal: byte)
            sink.append(")")
        case .rejected(let code):
            sink.append("refused: ")
            if let reason = code.reason {
                sink.append(reason)
            } else {
                sink.append("reply code ")
                sink.append(decimal: code.code)
            }
        case .closed:
            sink.append("closed the connection during the handshake")
        case .unexpectedLength, .handshakeOver:
            sink.append("handshake out of step")
        }
    }
}
