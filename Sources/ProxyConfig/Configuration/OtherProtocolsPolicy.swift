/// The policy for protocols that no proxy supports: raw, ICMP and packet sockets, SCTP, UDP-Lite and the like
/// (`other_protocols`).
public enum OtherProtocolsPolicy: Equatable, Sendable {
    /// socket(2) fails.
    case block
    /// They go direct.
    case direct
}
