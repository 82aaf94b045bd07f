/// The error of a program whose connection or datagram is refused.
public enum RefusalError: Equatable, Sendable {
    /// ECONNREFUSED
    case connectionRefused
    /// EHOSTUNREACH
    case hostUnreachable
    /// ENETUNREACH
    case networkUnreachable
}
