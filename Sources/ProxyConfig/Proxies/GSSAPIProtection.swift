/// How messages between client and proxy are protected, by the level's octet (RFC 1961 section 4.3).
public enum GSSAPIProtection: UInt8, Sendable {
    /// The connection is authenticated and nothing else; no level of the RFC, but what servers and clients use.
    case none = 0
    case integrity = 1
    case confidentiality = 2
}
