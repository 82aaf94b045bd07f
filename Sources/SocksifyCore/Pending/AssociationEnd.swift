import Addressing

/// The handshake of an association (RFC 1928 section 7) is over.
struct AssociationEnd {
    /// The relayed socket's: where it lies in its table, and its cookie.
    let slot: Int
    let cookie: UInt64
    /// The control connection.
    let control: Socket
    /// The address by which the proxy was reached.
    let proxy: IPAddress?
    /// BND of the reply; nil when it failed, with `errno`.
    let bound: Endpoint?
    let errno: Errno?
}
