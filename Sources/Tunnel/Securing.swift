/// The progress of a security context.
public enum Securing: Sendable {
    case waitsToSend
    /// Waits for the proxy, or for the mechanism's own servers.
    case waitsToReceive
    case done
}
