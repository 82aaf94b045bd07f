import Addressing

/// Writes a message into memory of a fixed size. Drops bytes that do not fit, and records that.
struct DNSWriter: ~Copyable, ~Escapable {
    private var memory: MutableSpan<UInt8>
    private let limit: Int
    private(set) var count = 0
    /// Whether bytes were dropped.
    private(set) var isOverfull = false

    /// - Parameter limit: bytes that the message may have, if the memory has so many.
    @_lifetime(copy memory)
    init(_ memory: consuming MutableSpan<UInt8>, limit: Int = .max) {
        self.limit = min(limit, memory.count)
        self.memory = memory
    }

    /// Continues writing at `position`, which must be within the memory.
    @_lifetime(self: copy self)
    mutating func move(to position: Int) {
        count = min(max(position, 0), limit)
        isOverfull = false
    }

    @_lifetime(self: copy self)
    mutating func append(_ byte: UInt8) {
        guard count < limit else {
            isOverfull = true
            return
        }
        memory[count] = byte
        count += 1
    }

    /// Writes in network byte order.
    @_lifetime(self: copy self)
    mutating func append(_ number: UInt16) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }

    /// Writes in network byte order.
    @_lifetime(self: copy self)
    mutating func append(_ number: UInt32) {
        append(UInt16(truncatingIfNeeded: number >> 16))
        append(UInt16(truncatingIfNeeded: number))
    }

    @_lifetime(self: copy self)
    mutating func append(_ bytes: Span<UInt8>) {
        for index in bytes.indices { append(bytes[index]) }
    }
}
