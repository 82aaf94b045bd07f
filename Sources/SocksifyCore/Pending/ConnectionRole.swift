import CPreload

/// What a pending handshake is for.
enum ConnectionRole {
    /// The program's own connection.
    case connection
    /// The association of the relayed socket in this slot, with this cookie.
    case association(slot: Int, cookie: UInt64)
    /// Nothing any more: the connection of an association is kept for a moment, and then closed.
    case lingering
    /// A question to the DNS.
    case transaction(DNSTransaction)

    /// Whether the connection is the library's own, and nothing of the program's.
    var isInternal: Bool {
        if case .connection = self { return false }
        return true
    }
}
