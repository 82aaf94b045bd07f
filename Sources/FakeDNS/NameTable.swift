import Addressing
import Synchronization
import TableMemory

/// Names, each under a number that an address can stand for: the number finds the name in one step.
///
/// The table lies in memory that the caller provides, and holds no pointer, so that it can be shared between
/// processes. Any number of threads and processes use it at once, without locks, so that a signal handler, a fork, or
/// the end of a process in the middle of a change does no harm:
///
/// - A slot is claimed by counting `next` up, and belongs to the claimer until it is written. Its sequence number is
///   odd while it is being written, which keeps other writers away; a reader takes what it copied only when the
///   number was even and unchanged. The slot of a writer that ended there is passed over.
/// - The index, from a name's hash to numbers that may hold it, is no more than a memory of what was given out: an
///   entry that is lost or stale costs a second number for the same name, never a wrong name.
///
/// When all numbers are used, the oldest is given out again.
///
/// What is not used is not touched. The index grows with the names: it is a row of hash tables, each for twice as many
/// numbers as the one before; the first three, for 448 names, share a page with what lies before them.
public struct NameTable<Memory: TableMemory & Sendable>: Sendable {
    /// Count of the names that are held before the oldest is replaced.
    public let capacity: UInt32
    private let memory: Memory

    // Layout: `next`, the levels of the index, then the slots.
    private static var headerSize: Int { 64 }
    /// Numbers that the first level is for.
    private static var firstLevelCount: UInt32 { 64 }
    private static var bucketWays: UInt32 { 8 }
    private static var bucketSize: Int { Int(bucketWays) * 4 }
    private static var slotSize: Int { 272 }
    /// Within a slot: the sequence number, the length of the name, the name.
    private static var lengthOffset: Int { 8 }
    private static var nameOffset: Int { 9 }
    private static var largestCapacity: UInt32 { 1 << 24 }

    /// The number of bytes that a table of `capacity` names needs.
    public static func size(capacity: UInt32) -> Int {
        let capacity = allowed(capacity)
        return slotsOffset(capacity) + Int(capacity) * slotSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes; `headerSize` of them have been reached.
    ///   - capacity: 1 to 2^24; another number stands for the nearer of these.
    public init(memory: Memory, capacity: UInt32) {
        self.memory = memory
        self.capacity = NameTable.allowed(capacity)
    }

    private static func allowed(_ capacity: UInt32) -> UInt32 {
        min(max(capacity, 1), largestCapacity)
    }

    /// The number of `name`, in 0..<capacity, a new one where it has none yet; nil when there is no memory for it, or
    /// every slot that was tried is being written.
    public func number(of name: HostName) -> UInt32? {
        let hash = NameTable.hash(name)
        if let known = find(name, hash: hash) { return known }
        for _ in 0..<NameTable.claimAttempts {
            let ticket = next.pointee.load(ordering: .relaxed)
            let number = UInt32(truncatingIfNeeded: ticket % UInt64(capacity))
            guard let slot = slot(number) else { return nil }
            // Counting wraps at 2^64, which no process lives to see.
            guard next.pointee.compareExchange(expected: ticket, desired: ticket &+ 1, ordering: .relaxed).exchanged,
                write(name, to: slot)
            else { continue }
            remember(number, hash: hash)
            return number
        }
        return nil
    }

    /// Slots that one name tries: more than there are writers at a time, and than processes that ended while writing.
    private static var claimAttempts: Int { 256 }

    /// The name under `number`; nil when there is none, or when it is being replaced at this moment.
    public func name(of number: UInt32) -> HostName? {
        guard number < usedCount, let slot = slot(number) else { return nil }
        let before = slot.sequence.pointee.load(ordering: .acquiring)
        guard before != 0, before & 1 == 0 else { return nil }
        let length = Int(slot.base.load(fromByteOffset: NameTable.lengthOffset, as: UInt8.self))
        let start = (slot.base + NameTable.nameOffset).assumingMemoryBound(to: UInt8.self)
        let name = HostName(Span(_unsafeStart: start, count: length))
        atomicMemoryFence(ordering: .acquiring)
        guard slot.sequence.pointee.load(ordering: .relaxed) == before else { return nil }
        return name
    }

    /// Whether a name stands under `number` at this moment.
    public func holds(_ number: UInt32) -> Bool {
        guard number < usedCount, let slot = slot(number) else { return false }
        return slot.sequence.pointee.load(ordering: .acquiring) != 0
    }

    /// A word that changes when another name takes the number; nil as in `name(of:)`.
    public func version(of number: UInt32) -> UInt32? {
        guard number < usedCount, let slot = slot(number) else { return nil }
        let sequence = slot.sequence.pointee.load(ordering: .acquiring)
        return sequence == 0 || sequence & 1 != 0 ? nil : UInt32(truncatingIfNeeded: sequence)
    }

    /// Returns false when another thread is writing the slot: after a full turn of `next`, or because it ended there.
    private func write(_ name: HostName, to slot: Slot) -> Bool {
        let before = slot.sequence.pointee.load(ordering: .relaxed)
        guard before & 1 == 0,
            slot.sequence.pointee.compareExchange(expected: before, desired: before | 1, ordering: .acquiring).exchanged
        else { return false }
        atomicMemoryFence(ordering: .releasing)
        let bytes = name.bytes
        let length = UInt8(truncatingIfNeeded: bytes.count)
        slot.base.storeBytes(of: length, toByteOffset: NameTable.lengthOffset, as: UInt8.self)
        for index in bytes.indices {
            slot.base.storeBytes(of: bytes[index], toByteOffset: NameTable.nameOffset + index, as: UInt8.self)
        }
        slot.sequence.pointee.store(before &+ 2, ordering: .releasing)
        return true
    }

    // MARK: The index

    /// One of the hash tables that the index consists of: for `count` numbers from `first` on, in half as many buckets
    /// as would be full of them.
    private struct Level {
        private(set) var first: UInt32 = 0
        private(set) var count = firstLevelCount
        private(set) var offset = headerSize

        private var bucketCount: UInt32 { count / (bucketWays / 2) }
        private var size: Int { Int(bucketCount) * bucketSize }

        mutating func advance() {
            offset += size
            first += count
            count *= 2
        }

        func bucketOffset(hash: UInt32) -> Int {
            offset + Int(hash % bucketCount) * bucketSize
        }
    }

    private func find(_ name: HostName, hash: UInt32) -> UInt32? {
        let usedCount = usedCount
        var level = Level()
        while level.first < usedCount {
            if let bucket = bucket(of: level, hash: hash) {
                for way in 0..<NameTable.bucketWays {
                    let entry = NameTable.entry(bucket, way).pointee.load(ordering: .acquiring)
                    if entry != 0, self.name(of: entry - 1) == name { return entry - 1 }
                }
            }
            level.advance()
        }
        return nil
    }

    /// Takes a free place of the hash's bucket, or that of the number that was given out first.
    private func remember(_ number: UInt32, hash: UInt32) {
        var level = Level()
        while number - level.first >= level.count { level.advance() }
        guard let bucket = bucket(of: level, hash: hash) else { return }
        var oldestWay: UInt32 = 0
        var oldestAge: UInt32 = 0
        for way in 0..<NameTable.bucketWays {
            let entry = NameTable.entry(bucket, way)
            if entry.pointee.load(ordering: .relaxed) == 0 {
                let exchange = entry.pointee.compareExchange(expected: 0, desired: number + 1, ordering: .releasing)
                if exchange.exchanged { return }
            }
            let other = entry.pointee.load(ordering: .relaxed) &- 1
            let age = number >= other ? number &- other : number &+ capacity &- other
            if age >= oldestAge { (oldestWay, oldestAge) = (way, age) }
        }
        NameTable.entry(bucket, oldestWay).pointee.store(number + 1, ordering: .releasing)
    }

    /// FNV-1a over the lower-case letters.
    private static func hash(_ name: HostName) -> UInt32 {
        var hash: UInt32 = 0x811c_9dc5
        let bytes = name.bytes
        for index in bytes.indices { hash = (hash ^ UInt32(lowercased(bytes[index]))) &* 0x0100_0193 }
        return hash ^ hash >> 15
    }

    // MARK: Places

    private var next: UnsafeMutablePointer<Atomic<UInt64>> {
        memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Numbers that were ever given out are those below this one.
    private var usedCount: UInt32 {
        UInt32(truncatingIfNeeded: min(next.pointee.load(ordering: .acquiring), UInt64(capacity)))
    }

    /// nil when its memory cannot be had.
    private func bucket(of level: Level, hash: UInt32) -> UnsafeMutableRawPointer? {
        let offset = level.bucketOffset(hash: hash)
        return memory.reach(offset: offset, size: NameTable.bucketSize)
    }

    private static func entry(_ bucket: UnsafeMutableRawPointer, _ way: UInt32) -> UnsafeMutablePointer<Atomic<UInt32>>
    {
        (bucket + Int(way) * 4).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    private static func slotsOffset(_ capacity: UInt32) -> Int {
        var level = Level()
        while level.first < capacity { level.advance() }
        return level.offset
    }

    private struct Slot {
        let base: UnsafeMutableRawPointer

        var sequence: UnsafeMutablePointer<Atomic<UInt64>> { base.assumingMemoryBound(to: Atomic<UInt64>.self) }
    }

    /// nil when its memory cannot be had.
    private func slot(_ number: UInt32) -> Slot? {
        let offset = NameTable.slotsOffset(capacity) + Int(number) * NameTable.slotSize
        return memory.reach(offset: offset, size: NameTable.slotSize).map { Slot(base: $0) }
    }
}
