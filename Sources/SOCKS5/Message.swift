import Addressing

/// The bytes of one message, stored in place because a handshake allocates nothing. The longest has a user name and a
/// password of 255 bytes each (RFC 1929).
typealias Message = FixedBytes<513>

/// The version byte that opens every message but those of RFC 1929.
let protocolVersion: UInt8 = 5
