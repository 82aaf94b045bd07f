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
    ///
    /// - Parameter isUntold: whether connect(2) has yet to say that the socket is connected, and the kernel would not.
    public func insert(_ peer: SocketAddress, isUntold: Bool = false, cookie: UInt64) {
        var words = peer.words
        if isUntold { words[0] |= SocketTable.untold }
        records.insert(words, key: cookie)
    }

    /// The peer that the program connected the socket to; nil when the socket was not connected through a proxy.
    public func peer(cookie: UInt64) -> SocketAddress? {
        guard var words = records.words(key: cookie) else { return nil }
        words[0] &= ~SocketTable.untold
        return SocketAddress(words: words)
    }

    /// Whether connect(2) has yet to say that the socket is connected. Says so once.
    public func tell(cookie: UInt64) -> Bool {
        guard var words = records.words(key: cookie), words[0] & SocketTable.untold != 0 else { return false }
        words[0] &= ~SocketTable.untold
        records.insert(words, key: cookie)
        return true
    }

    private static var untold: UInt64 { 1 << 63 }

    /// Remembers why the socket could not be connected, or that it is not connected yet, for the process that it is handed
    /// to.
    ///
    /// - Parameter failure: an error number; 0 for a connection that is under way.
    public func insert(failure: Int32, cookie: UInt64) {
        insert(SocketTable.failed, failure, cookie: cookie)
    }

    /// What was remembered so; nil when nothing was.
    public func failure(cookie: UInt64) -> Int32? { number(SocketTable.failed, cookie: cookie) }

    /// Remembers how the program has shut the socket before it was connected.
    ///
    /// - Parameter how: bits, 1: for receiving, 2: for sending.
    public func insert(shut how: Int32, cookie: UInt64) {
        insert(SocketTable.shut, how, cookie: cookie)
    }

    /// What was remembered so; nil when nothing was.
    public func shut(cookie: UInt64) -> Int32? { number(SocketTable.shut, cookie: cookie) }

    // In the place of a family.
    private static var failed: UInt64 { 1 }
    private static var shut: UInt64 { 2 }

    private func insert(_ kind: UInt64, _ number: Int32, cookie: UInt64) {
        records.insert([kind << 16, UInt64(UInt32(bitPattern: number)), 0, 0], key: cookie)
    }

    private func number(_ kind: UInt64, cookie: UInt64) -> Int32? {
        guard let words = records.words(key: cookie), words[0] == kind << 16 else { return nil }
        return Int32(bitPattern: UInt32(truncatingIfNeeded: words[1]))
    }

    /// Forgets the socket, which is no longer connected through a proxy.
    public func remove(cookie: UInt64) {
        records.remove(key: cookie)
    }
}
