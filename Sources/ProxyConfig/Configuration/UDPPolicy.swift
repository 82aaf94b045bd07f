/// The policy for datagrams whose destination goes through the proxy (`udp`).
public enum UDPPolicy: Equatable, Sendable {
    /// They go through the proxy (RFC 1928 section 7).
    case associate
    /// They are refused.
    case block
    /// They go direct.
    case direct
}
