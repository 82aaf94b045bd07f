/// The policy for sockets that listen for connections from elsewhere (`bind`).
public enum ListenerPolicy: Equatable, Sendable {
    /// They listen on this machine.
    case direct
    /// listen(2) fails.
    case block
}
