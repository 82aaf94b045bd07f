import Addressing

/// The bytes of one message to a proxy, stored in place because a handshake allocates nothing.
public struct Message: ByteSink, Sendable {
    /// The longest message of a client: RFC 1929's, with user name and password of 255 bytes each.
    public static var capacity: Int { 513 }

    private var storage = InlineArray<513, UInt8>(repeating: 0)
    private var length = 0

    public init() {}

    public mutating func append(_ byte: UInt8) {
        guard length < Message.capacity else { return }
        storage[length] = byte
        length += 1
    }

    mutating func removeAll() {
        length = 0
    }

    public var count: Int { length }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
    }
}

/// The version byte that opens every message but those of RFC 1929.
let protocolVersion: UInt8 = 5
