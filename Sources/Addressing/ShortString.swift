/// 1 to 255 bytes of any value, stored in place, because they are copied where nothing may be allocated.
///
/// What a SOCKS message carries behind a length byte: a name, a user, a password.
public struct ShortString: Sendable {
    private let storage: InlineArray<255, UInt8>
    private let length: UInt8

    /// Takes a copy of `bytes`; nil when there are none, or more than 255.
    public init?(_ bytes: Span<UInt8>) {
        guard let length = UInt8(exactly: bytes.count), length > 0 else { return nil }
        var storage = InlineArray<255, UInt8>(repeating: 0)
        for index in bytes.indices { storage[index] = bytes[index] }
        self.storage = storage
        self.length = length
    }

    /// 1 to 255.
    public var count: Int { Int(length) }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: Int(length)) }
    }
}
