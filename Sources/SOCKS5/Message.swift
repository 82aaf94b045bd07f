import Addressing

/// The bytes of one message, stored in place because a handshake allocates nothing.
struct Message: ByteSink, Sendable {
    static var capacity: Int { ClientHandshake.messageCapacity }

    private var storage = InlineArray<513, UInt8>(repeating: 0)
    private var length = 0

    init() {}

    mutating func append(_ byte: UInt8) {
        guard length < Message.capacity else { return }
        storage[length] = byte
        length += 1
    }

    var count: Int { length }

    var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
    }
}

/// The version byte that opens every message but those of RFC 1929.
let protocolVersion: UInt8 = 5
