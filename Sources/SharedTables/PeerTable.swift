import Addressing
import TableMemory

/// The apparent peers of proxied sockets: the addresses that the program connected to, for `getpeername`. In the kernel
/// the peer is the proxy.
public struct PeerTable<Memory: TableMemory & Sendable>: Sendable {
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

    /// Stores the peer of the socket, replacing a former record. Does nothing without memory.
    ///
    /// - Parameters:
    ///   - isUntold: whether connect(2) still has to report the connection once, which the kernel would not do.
    ///   - isEncapsulated: whether the bytes of the stream are encapsulated.
    public func insert(
        _ peer: SocketAddress, isUntold: Bool = false, isEncapsulated: Bool = false, cookie: UInt64
    ) {
        var words = peer.words
        if isUntold { words[0] |= PeerTable.untold }
        if isEncapsulated { words[0] |= PeerTable.encapsulated }
        records.insert(words, key: cookie)
    }

    /// The peer that the program connected the socket to; nil if the socket is not proxied.
    public func peer(cookie: UInt64) -> SocketAddress? {
        guard var words = records.words(key: cookie) else { return nil }
        words[0] &= ~(PeerTable.untold | PeerTable.encapsulated)
        return SocketAddress(words: words)
    }

    /// Whether the bytes of the stream are encapsulated.
    public func isEncapsulated(cookie: UInt64) -> Bool {
        guard let words = records.words(key: cookie) else { return false }
        return words[0] & PeerTable.encapsulated != 0
    }

    /// Whether connect(2) still has to report the connection; true only once.
    public func tell(cookie: UInt64) -> Bool {
        guard var words = records.words(key: cookie), words[0] & PeerTable.untold != 0 else { return false }
        words[0] &= ~PeerTable.untold
        records.insert(words, key: cookie)
        return true
    }

    private static var untold: UInt64 { 1 << 63 }
    private static var encapsulated: UInt64 { 1 << 62 }

    /// Stores the error of the socket's connection, or that it is still connecting, for a process that inherits it.
    ///
    /// - Parameter failure: an error number; 0 while connecting.
    public func insert(failure: Int32, cookie: UInt64) {
        insert(PeerTable.failed, failure, cookie: cookie)
    }

    /// What was remembered so; nil when nothing was.
    public func failure(cookie: UInt64) -> Int32? { number(PeerTable.failed, cookie: cookie) }

    /// Stores the directions that the program has shut down before the connection (shutdown(2)).
    ///
    /// - Parameter how: bit 0: receiving, bit 1: sending.
    public func insert(shut how: Int32, cookie: UInt64) {
        insert(PeerTable.shut, how, cookie: cookie)
    }

    /// What was remembered so; nil when nothing was.
    public func shut(cookie: UInt64) -> Int32? { number(PeerTable.shut, cookie: cookie) }

    /// Stores the descriptor of the file by which a stream is left to the program that takes this one's place.
    public func insert(file: Int32, cookie: UInt64) {
        insert(PeerTable.left, file, cookie: cookie | PeerTable.ofFile)
    }

    /// What was remembered so; nil when nothing was.
    public func file(cookie: UInt64) -> Int32? { number(PeerTable.left, cookie: cookie | PeerTable.ofFile) }

    public func removeFile(cookie: UInt64) { remove(cookie: cookie | PeerTable.ofFile) }

    /// No cookie has this bit.
    private static var ofFile: UInt64 { 1 << 63 }

    // Stored where records of peers have the family.
    private static var failed: UInt64 { 1 }
    private static var shut: UInt64 { 2 }
    private static var left: UInt64 { 3 }

    private func insert(_ kind: UInt64, _ number: Int32, cookie: UInt64) {
        records.insert([kind << 16, UInt64(UInt32(bitPattern: number)), 0, 0], key: cookie)
    }

    private func number(_ kind: UInt64, cookie: UInt64) -> Int32? {
        guard let words = records.words(key: cookie), words[0] == kind << 16 else { return nil }
        return Int32(bitPattern: UInt32(truncatingIfNeeded: words[1]))
    }

    /// Removes the record of a socket that is no longer proxied.
    public func remove(cookie: UInt64) {
        records.remove(key: cookie)
    }
}
