import TableMemory

/// The original sockets, by the cookie of the new socket.
public struct OriginalSockets<Memory: TableMemory & Sendable>: Sendable {
    private let records: RecordTable<Memory, 21>

    public static func size(capacity: Int) -> Int { RecordTable<Memory, 21>.size(capacity: capacity) }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 8.
    public init(memory: Memory, capacity: Int) {
        records = RecordTable(memory: memory, capacity: capacity)
    }

    /// Stores the record of the socket, replacing a former one. False without memory.
    public func insert(_ socket: OriginalSocket, cookie: UInt64) -> Bool {
        records.insert(socket.words, key: cookie)
    }

    /// nil for an original socket, or while the record is being written.
    public func socket(cookie: UInt64) -> OriginalSocket? {
        records.words(key: cookie).flatMap { OriginalSocket(words: $0) }
    }

    /// Whether the record of the socket is being written, because the program sets an option.
    public func isBeingWritten(cookie: UInt64) -> Bool {
        records.isBeingWritten(key: cookie)
    }
}
