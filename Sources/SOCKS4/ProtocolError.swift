import Addressing

/// A violation of the protocol by the proxy, a refusal, or a request that the protocol cannot express.
public enum ProtocolError: Error, Equatable, Sendable {
    /// SOCKS4 has only IPv4 addresses and names.
    case ipv6Destination
    /// 0.0.0.1 to 0.0.0.255, which announce a name in SOCKS4a.
    case reservedDestination
    /// The name contains a null byte, which would end it.
    case unusableName
    /// The user ID contains a null byte, which would end it, or has more than 255 bytes.
    case unusableUserID
    /// The reply starts with this byte: the server does not speak SOCKS4.
    case wrongVersion(UInt8)
    /// The proxy refused the request.
    case rejected(ReplyCode)
    /// The proxy closed the connection in the middle of the handshake.
    case closed
    /// The caller passed a wrong number of bytes.
    case unexpectedLength(Int)
    /// The handshake has ended.
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
