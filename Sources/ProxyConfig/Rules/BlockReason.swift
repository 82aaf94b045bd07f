/// The program's error for what a rule blocks.
public enum BlockReason: Equatable, Sendable {
    /// ECONNREFUSED, like a closed port. The default.
    case refused
    /// EHOSTUNREACH, like a missing host.
    case unreachable
}
