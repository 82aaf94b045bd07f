/// The authentication methods that a client offers (RFC 1928 section 3).
public enum AuthenticationOffer: Equatable, Sendable {
    /// No authentication.
    case none
    /// No authentication, and user name and password (RFC 1929).
    case usernamePassword
    /// GSSAPI alone (RFC 1961): a proxy that chose another method would get the connection unprotected.
    case gssapi
}
