import Addressing

/// A violation of the protocol by the proxy, a refusal, or a request that the protocol cannot express.
public enum ProtocolError: Error, Equatable, Sendable {
    /// The name contains a byte that would end it in a request, or change the host.
    case unusableName
    /// The user or the password has more than 255 bytes.
    case unusableCredentials
    /// The answer does not start like an HTTP/1 response.
    case notHTTP
    /// The proxy requires credentials (407 or 401), and none were sent.
    case credentialsWanted
    /// The proxy rejects the credentials (407 or 401).
    case credentialsRefused
    /// The proxy refused the request.
    case rejected(Status)
    /// The response's head is longer than `ClientHandshake.longestAnswer`.
    case headTooLong
    /// The proxy closed the connection in the middle of the handshake.
    case closed
    /// The handshake has ended.
    case handshakeOver

    /// Writes what happened, for a log line that names the proxy before it.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .unusableName:
            sink.append("cannot be asked for a name with a byte in it that HTTP does not allow there")
        case .unusableCredentials:
            sink.append("cannot take a user name or a password of more than 255 bytes")
        case .notHTTP:
            sink.append("does not speak HTTP")
        case .credentialsWanted:
            sink.append("requires an authentication method that is not configured")
        case .credentialsRefused:
            sink.append("refused the user name or the password")
        case .rejected(let status):
            sink.append("refused: status ")
            sink.append(decimal: status.code)
            if let reason = status.reason {
                sink.append(" (")
                sink.append(reason)
                sink.append(")")
            }
        case .headTooLong:
            sink.append("answered with a head of more than ")
            sink.append(decimal: ClientHandshake.longestAnswer / 1024)
            sink.append(" KiB")
        case .closed:
            sink.append("closed the connection during the handshake")
        case .handshakeOver:
            sink.append("handshake out of step")
        }
    }
}
