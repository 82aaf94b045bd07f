import Addressing
import TableMemory

/// The apparent peers of the sockets that were connected through a proxy: the addresses that the program connected
/// them to, which `getpeername` answers, though the kernel's peer is the proxy.
public struct SocketTable<Memory: TableMemory & Sendable>: Sendable {
    private let records: RecordTable<Memory, 4>

    /// Count of the records.
    public var capacity: Int { records.capacity }

    public static func size(capacity: Int) -> Int { RecordTable<Memory, 4>.size(capacity: capacity) }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 8.
    public init(memory: Memory, capacity: Int) {
        records = RecordTable(memory: memory, capacity: capacity)
    }

    /// Remembers the peer of the socket, in place of what was known of it. Where there is no memory, it does not.
    public func insert(_ peer: SocketAddress, cookie: UInt64) {
        records.insert(peer.words, key: cookie)
    }

    /// The peer that the program connected the socket to; nil when the socket was not connected through a proxy.
    public func peer(cookie: UInt64) -> SocketAddress? {
        records.words(key: cookie).flatMap { SocketAddress(words: $0) }
    }

    /// Forgets the socket, which is no longer connected through a proxy.
    public func remove(cookie: UInt64) {
        records.remove(key: cookie)
    }
}
