import Addressing

/// What a proxy did wrong, or refused, or cannot be asked for.
public enum ProtocolError: Error, Equatable, Sendable {
    /// The name has a byte in it that would end it in a request, or make another host of it.
    case unusableName
    /// The user or the password has more than 255 bytes.
    case unusableCredentials
    /// The answer does not start as an HTTP/1 response does.
    case notHTTP
    /// The proxy asks for credentials (407 or 401), and was given none.
    case credentialsWanted
    /// The proxy asks for other credentials (407 or 401) than it was given.
    case credentialsRefused
    /// The proxy refused the request.
    case rejected(Status)
    /// The answer's head does not end where it must: `ClientHandshake.longestAnswer`.
    case headTooLong
    /// The proxy closed the connection in the middle of the handshake.
    case closed
    /// The handshake has ended; nothing can follow.
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
