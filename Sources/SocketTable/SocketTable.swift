import Addressing
import Synchronization

/// The apparent peers of the sockets that were connected through a proxy: the addresses that the program connected
/// them to, which `getpeername` answers, though the kernel's peer is the proxy.
///
/// A record belongs to the kernel's identity of the socket, its cookie (socket(7), SO_COOKIE), which no other socket
/// ever has: so duplicated and closed descriptors, fork and passing a socket on need no bookkeeping to stay right,
/// and a record that is left over from a closed socket does no harm but to take a place.
///
/// The table lies in memory that the caller provides, zero-filled, and holds no pointer. It is used without locks by
/// any number of threads: a record's sequence number is odd while the record is written; a reader takes what it
/// copied only when the number was even and unchanged. Where all places of a bucket are taken, the record that was
/// written first makes room.
public struct SocketTable: @unchecked Sendable {
    /// Count of the records; a power of two, a multiple of `ways`.
    public let capacity: Int
    private let memory: UnsafeMutableRawPointer

    private static var ways: Int { 8 }
    private static var headerSize: Int { 64 }
    private static var recordSize: Int { 64 }

    public static func size(capacity: Int) -> Int {
        headerSize + roundedUp(capacity) * recordSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes, aligned to 8, zero-filled before the first use.
    ///   - capacity: rounded up to a power of two of at least 8.
    public init(memory: UnsafeMutableRawPointer, capacity: Int) {
        self.memory = memory
        self.capacity = SocketTable.roundedUp(capacity)
    }

    /// Remembers the peer of the socket, in place of what was known of it.
    public func insert(_ peer: SocketAddress, cookie: UInt64) {
        let age = clock.pointee.wrappingAdd(1, ordering: .relaxed).newValue
        for _ in 0..<SocketTable.ways where write(peer, cookie: cookie, age: age, to: place(for: cookie)) { return }
    }

    /// The peer that the program connected the socket to; nil when the socket was not connected through a proxy.
    public func peer(cookie: UInt64) -> SocketAddress? {
        for way in 0..<SocketTable.ways {
            let record = record(cookie: cookie, way: way)
            let before = record.sequence.pointee.load(ordering: .acquiring)
            guard before & 1 == 0, record.cookie.pointee.load(ordering: .relaxed) == cookie else { continue }
            var words = InlineArray<4, UInt64>(repeating: 0)
            for index in 0..<4 { words[index] = record.word(index).pointee.load(ordering: .relaxed) }
            atomicMemoryFence(ordering: .acquiring)
            guard record.sequence.pointee.load(ordering: .relaxed) == before else { continue }
            return SocketAddress(words: words)
        }
        return nil
    }

    /// Forgets the socket, which is no longer connected through a proxy.
    public func remove(cookie: UInt64) {
        for way in 0..<SocketTable.ways {
            let record = record(cookie: cookie, way: way)
            _ = record.cookie.pointee.compareExchange(expected: cookie, desired: 0, ordering: .relaxed)
        }
    }

    /// The socket's own record, else a free one, else the oldest of the bucket.
    private func place(for cookie: UInt64) -> Record {
        var chosen = record(cookie: cookie, way: 0)
        var chosenAge = UInt64.max
        for way in 0..<SocketTable.ways {
            let record = record(cookie: cookie, way: way)
            let holder = record.cookie.pointee.load(ordering: .relaxed)
            if holder == cookie { return record }
            let age = holder == 0 ? 0 : record.age.pointee.load(ordering: .relaxed)
            if age < chosenAge { (chosen, chosenAge) = (record, age) }
        }
        return chosen
    }

    private func write(_ peer: SocketAddress, cookie: UInt64, age: UInt64, to record: Record) -> Bool {
        let before = record.sequence.pointee.load(ordering: .relaxed)
        guard before & 1 == 0,
            record.sequence.pointee.compareExchange(expected: before, desired: before | 1, ordering: .acquiring)
                .exchanged
        else { return false }
        atomicMemoryFence(ordering: .releasing)
        record.cookie.pointee.store(cookie, ordering: .relaxed)
        record.age.pointee.store(age, ordering: .relaxed)
        let words = peer.words
        for index in 0..<4 { record.word(index).pointee.store(words[index], ordering: .relaxed) }
        record.sequence.pointee.store(before &+ 2, ordering: .releasing)
        return true
    }

    // MARK: Places

    private struct Record {
        let base: UnsafeMutableRawPointer

        var sequence: UnsafeMutablePointer<Atomic<UInt64>> { field(0) }
        var cookie: UnsafeMutablePointer<Atomic<UInt64>> { field(1) }
        var age: UnsafeMutablePointer<Atomic<UInt64>> { field(2) }
        func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> { field(3 + index) }

        private func field(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            (base + index * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        }
    }

    private var clock: UnsafeMutablePointer<Atomic<UInt64>> {
        memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Cookies count up, so that their low bits spread over the buckets by themselves. The first ways of all buckets
    /// lie side by side: sockets that come one after the other share pages.
    private func record(cookie: UInt64, way: Int) -> Record {
        let bucketCount = capacity / SocketTable.ways
        let index = way * bucketCount + Int(truncatingIfNeeded: cookie) & (bucketCount - 1)
        return Record(base: memory + SocketTable.headerSize + index * SocketTable.recordSize)
    }

    private static func roundedUp(_ capacity: Int) -> Int {
        var rounded = ways
        while rounded < capacity, rounded < 1 << 24 { rounded <<= 1 }
        return rounded
    }
}
