import Addressing
import Synchronization

/// Names, each under a number that an address can stand for: the number finds the name in one step.
///
/// The table lies in memory that the caller provides, zero-filled, and holds no pointer, so that it can be shared
/// between processes. Any number of threads and processes use it at once, without locks, so that a signal handler,
/// a fork, or the end of a process in the middle of a change does no harm:
///
/// - A slot is claimed by counting `next` up, and belongs to the claimer until it is written. Its sequence number is
///   odd while it is being written, which keeps other writers away; a reader takes what it copied only when the
///   number was even and unchanged.
/// - The index, from a name's hash to numbers that may hold it, is no more than a memory of what was given out: an
///   entry that is lost or stale costs a second number for the same name, never a wrong name.
///
/// When all numbers are used, the oldest is given out again.
public struct NameTable: @unchecked Sendable {
    /// Count of the names that are held before the oldest is replaced.
    public let capacity: UInt32
    private let memory: UnsafeMutableRawPointer

    // Layout: `next` and the index's buckets of 32-bit numbers, then the slots.
    private static var headerSize: Int { 64 }
    private static var bucketWays: UInt32 { 8 }
    private static var slotSize: Int { 272 }
    /// Within a slot: the sequence number, the length of the name, the name.
    private static var lengthOffset: Int { 8 }
    private static var nameOffset: Int { 9 }

    /// The number of bytes that a table of `capacity` names needs.
    public static func size(capacity: UInt32) -> Int {
        headerSize + Int(bucketCount(capacity)) * Int(bucketWays) * 4 + Int(capacity) * slotSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes, aligned to 8, zero-filled before the first use.
    ///   - capacity: 1 or more.
    public init(memory: UnsafeMutableRawPointer, capacity: UInt32) {
        self.memory = memory
        self.capacity = max(capacity, 1)
    }

    /// The number of `name`, in 0..<capacity, a new one where it has none yet; nil when every slot that was tried is
    /// being written.
    public func number(of name: HostName) -> UInt32? {
        let hash = NameTable.hash(name)
        if let known = find(name, hash: hash) { return known }
        for _ in 0..<NameTable.claimAttempts {
            // Counting wraps at 2^64, which no process lives to see.
            let ticket = next.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
            let number = UInt32(truncatingIfNeeded: ticket % UInt64(capacity))
            guard write(name, to: number) else { continue }
            remember(number, hash: hash)
            return number
        }
        return nil
    }

    /// Slots that one name tries: more than there are writers at a time, and than processes that ended while writing.
    private static var claimAttempts: Int { 256 }

    /// The name under `number`; nil when there is none, or when it is being replaced at this moment.
    public func name(of number: UInt32) -> HostName? {
        guard number < capacity else { return nil }
        let slot = slot(number)
        let before = sequence(number).pointee.load(ordering: .acquiring)
        guard before != 0, before & 1 == 0 else { return nil }
        let length = Int(slot.load(fromByteOffset: NameTable.lengthOffset, as: UInt8.self))
        let start = (slot + NameTable.nameOffset).assumingMemoryBound(to: UInt8.self)
        let name = HostName(Span(_unsafeStart: start, count: length))
        atomicMemoryFence(ordering: .acquiring)
        guard sequence(number).pointee.load(ordering: .relaxed) == before else { return nil }
        return name
    }

    /// Whether a name stands under `number` at this moment.
    public func holds(_ number: UInt32) -> Bool {
        guard number < capacity else { return false }
        return sequence(number).pointee.load(ordering: .acquiring) != 0
    }

    /// Returns false when another thread is writing the slot: after a full turn of `next`, or because it ended there.
    private func write(_ name: HostName, to number: UInt32) -> Bool {
        let slot = slot(number)
        let sequence = sequence(number)
        let before = sequence.pointee.load(ordering: .relaxed)
        guard before & 1 == 0,
            sequence.pointee.compareExchange(expected: before, desired: before | 1, ordering: .acquiring).exchanged
        else { return false }
        atomicMemoryFence(ordering: .releasing)
        let bytes = name.bytes
        let length = UInt8(truncatingIfNeeded: bytes.count)
        slot.storeBytes(of: length, toByteOffset: NameTable.lengthOffset, as: UInt8.self)
        for index in bytes.indices {
            slot.storeBytes(of: bytes[index], toByteOffset: NameTable.nameOffset + index, as: UInt8.self)
        }
        sequence.pointee.store(before &+ 2, ordering: .releasing)
        return true
    }

    // MARK: The index

    private func find(_ name: HostName, hash: UInt32) -> UInt32? {
        for way in 0..<NameTable.bucketWays {
            let entry = entry(hash: hash, way: way).pointee.load(ordering: .acquiring)
            if entry != 0, self.name(of: entry - 1) == name { return entry - 1 }
        }
        return nil
    }

    /// Takes a free place of the hash's bucket, or that of the number that was given out first.
    private func remember(_ number: UInt32, hash: UInt32) {
        var oldestWay: UInt32 = 0
        var oldestAge: UInt32 = 0
        for way in 0..<NameTable.bucketWays {
            let entry = entry(hash: hash, way: way)
            if entry.pointee.load(ordering: .relaxed) == 0 {
                let exchange = entry.pointee.compareExchange(expected: 0, desired: number + 1, ordering: .releasing)
                if exchange.exchanged { return }
            }
            let other = entry.pointee.load(ordering: .relaxed) &- 1
            let age = number >= other ? number &- other : number &+ capacity &- other
            if age >= oldestAge { (oldestWay, oldestAge) = (way, age) }
        }
        entry(hash: hash, way: oldestWay).pointee.store(number + 1, ordering: .releasing)
    }

    /// FNV-1a over the lower-case letters.
    private static func hash(_ name: HostName) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        let bytes = name.bytes
        for index in bytes.indices { hash = (hash ^ UInt32(lowercased(bytes[index]))) &* 0x0100_0193 }
        return hash ^ hash >> 15
    }

    private static func bucketCount(_ capacity: UInt32) -> UInt32 {
        max(capacity / (bucketWays / 2), 1)
    }

    // MARK: Places

    private var next: UnsafeMutablePointer<Atomic<UInt64>> {
        memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private func entry(hash: UInt32, way: UInt32) -> UnsafeMutablePointer<Atomic<UInt32>> {
        let bucket = hash % NameTable.bucketCount(capacity)
        let offset = NameTable.headerSize + Int(bucket * NameTable.bucketWays + way) * 4
        return (memory + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    private func slot(_ number: UInt32) -> UnsafeMutableRawPointer {
        let index = Int(NameTable.bucketCount(capacity)) * Int(NameTable.bucketWays) * 4
        return memory + NameTable.headerSize + index + Int(number) * NameTable.slotSize
    }

    private func sequence(_ number: UInt32) -> UnsafeMutablePointer<Atomic<UInt64>> {
        slot(number).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
