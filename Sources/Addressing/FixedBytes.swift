/// Up to `capacity` bytes, stored in place; further ones are dropped.
public struct FixedBytes<let capacity: Int>: ByteSink, Sendable {
    private var storage = InlineArray<capacity, UInt8>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    public mutating func append(_ byte: UInt8) {
        guard count < capacity else { return }
        storage[count] = byte
        count += 1
    }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: count) }
    }
}
