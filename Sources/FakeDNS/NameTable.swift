import Addressing
import Synchronization
import TableMemory

/// Names with numbers, from which reserved addresses are made. A number finds its name in one step.
///
/// A number gets another name only after ten minutes without use (a lookup of the name, or of the number). If all
/// numbers are in use, another name gets none. Names take slots in order; the numbers of the slots start at a random
/// offset, so that a number of one table is most likely unused in another.
///
/// The table lies in memory of the caller and contains no pointers, so that processes can share it. Any number of
/// threads and processes use it concurrently without locks, so that a signal handler, a fork, or the end of a process
/// during a change does no harm:
///
/// - A writer claims a slot by the time of its last use. The slot's sequence number is odd during the write, which
///   keeps other writers away. The slot of a writer that ended during the write is skipped.
/// - `next` is where the search for free slots starts. The index maps a name's hash to slots that may hold it. Both are
///   hints: a lost or stale entry costs a second number for the same name, and never gives a wrong name.
/// - A reader uses its copy only if the check matches the name, its number and the sequence number. Names during
///   replacement and damaged names do not match.
///
/// Unused memory is not touched. Index and times grow with the names, in levels, each for twice as many slots as the
/// previous one; the first two levels, for 192 names, share a page with the header.
public struct NameTable<Memory: TableMemory & Sendable>: Sendable {
    /// The capacity in names.
    public let capacity: UInt32
    private let memory: Memory
    /// The count of numbers, and the number of the first slot.
    private let numberCount: UInt32
    private let firstNumber: UInt32

    /// Seconds without use after which a number can get another name.
    public static var idleTime: UInt32 { 600 }

    // Layout: `next`, the key, the levels, then the slots.
    private static var headerSize: Int { 64 }
    private static var keyOffset: Int { 8 }
    /// The slots of the first level.
    private static var firstLevelCount: UInt32 { 64 }
    private static var bucketWays: UInt32 { 8 }
    private static var bucketSize: Int { Int(bucketWays) * 4 }
    private static var timeSize: Int { 4 }
    private static var slotSize: Int { 272 }
    /// Within a slot: the sequence number, the check, the length of the name, the name.
    private static var checkOffset: Int { 8 }
    private static var lengthOffset: Int { 16 }
    private static var nameOffset: Int { 17 }
    private static var largestCapacity: UInt32 { 1 << 24 }

    /// The number of bytes that a table of `capacity` names needs.
    public static func size(capacity: UInt32) -> Int {
        let capacity = allowed(capacity)
        return slotsOffset(capacity) + Int(capacity) * slotSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes; `headerSize` of them have been reached.
    ///   - capacity: 1 to 2^24; another number stands for the nearer of these.
    ///   - numberCount: how many numbers there are, from 0 on; `capacity` at least.
    ///   - random: where the numbers begin, if the table is new.
    ///
    /// nil for a damaged key, without which the start of the numbers is lost.
    public init?(memory: Memory, capacity: UInt32, numberCount: UInt32, random: UInt64) {
        self.memory = memory
        self.capacity = NameTable.allowed(capacity)
        self.numberCount = max(numberCount, self.capacity)
        let next = memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
        let word = (memory.base + NameTable.keyOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
        if next.pointee.load(ordering: .acquiring) == 0 {
            _ = word.pointee.compareExchange(expected: 0, desired: NameTable.key(of: random), ordering: .relaxed)
        }
        let key = word.pointee.load(ordering: .relaxed)
        guard key == NameTable.key(of: key) else { return nil }
        // Read once: a later change of the word must not move names.
        firstNumber = UInt32(truncatingIfNeeded: (key >> 24) % UInt64(self.numberCount))
    }

    /// The upper 40 bits, with their check in the others; never 0.
    private static func key(of random: UInt64) -> UInt64 {
        let bits = random & ~0xff_ffff
        return bits | mixed(bits, into: 0x4528_21e6_38d0_1377) >> 40 | 1
    }

    private static func allowed(_ capacity: UInt32) -> UInt32 {
        min(max(capacity, 1), largestCapacity)
    }

    // MARK: Numbers

    /// The number of the name in a slot.
    private func number(ofSlot slot: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(firstNumber) + UInt64(slot)) % UInt64(numberCount))
    }

    /// The slot of a number that may have been given out; nil for any other.
    private func slotNumber(_ number: UInt32) -> UInt32? {
        guard number < numberCount else { return nil }
        let slot = number >= firstNumber ? number - firstNumber : number + (numberCount - firstNumber)
        return slot < usedCount ? slot : nil
    }

    /// The number of `name`, a new one if necessary; nil without memory, or if all are in use.
    ///
    /// - Parameter now: seconds of a clock that goes on counting.
    public func number(of name: HostName, at now: UInt32) -> UInt32? {
        let hash = NameTable.hash(name)
        if let known = find(name, hash: hash) {
            renew(known, at: now)
            return number(ofSlot: known)
        }
        let hand = next.pointee.load(ordering: .relaxed)
        for step in 0..<capacity {
            let ticket = hand &+ UInt64(step)
            let number = UInt32(truncatingIfNeeded: ticket % UInt64(capacity))
            guard let time = time(ofSlot: number) else { return nil }
            let last = time.pointee.load(ordering: .relaxed)
            if last != 0, !NameTable.isIdle(last, at: now) { continue }
            guard let slot = slot(number) else { return nil }
            guard last != 0 || slot.sequence.pointee.load(ordering: .relaxed) == 0,
                time.pointee.compareExchange(expected: last, desired: now | 1, ordering: .relaxed).exchanged,
                write(name, to: slot, number)
            else { continue }
            advance(beyond: ticket)
            remember(number, hash: hash)
            return self.number(ofSlot: number)
        }
        return nil
    }

    /// The name with `number`, which counts as a use; nil if there is none, or it is being replaced.
    public func name(of number: UInt32, at now: UInt32) -> HostName? {
        guard let slot = slotNumber(number), let name = name(inSlot: slot) else { return nil }
        renew(slot, at: now)
        return name
    }

    private func name(inSlot number: UInt32) -> HostName? {
        guard number < usedCount, let slot = slot(number) else { return nil }
        let before = slot.sequence.pointee.load(ordering: .acquiring)
        guard before != 0, before & 1 == 0 else { return nil }
        let check = slot.base.load(fromByteOffset: NameTable.checkOffset, as: UInt64.self)
        let length = Int(slot.base.load(fromByteOffset: NameTable.lengthOffset, as: UInt8.self))
        let start = (slot.base + NameTable.nameOffset).assumingMemoryBound(to: UInt8.self)
        guard let name = HostName(Span(_unsafeStart: start, count: length)) else { return nil }
        guard check == self.check(of: name, inSlot: number, before) else { return nil }
        return name
    }

    /// Whether `number` has a name.
    public func holds(_ number: UInt32) -> Bool {
        guard let number = slotNumber(number), let slot = slot(number) else { return false }
        return slot.sequence.pointee.load(ordering: .acquiring) != 0
    }

    /// A word that changes when another name takes the number; nil as in `name(of:at:)`.
    public func version(of number: UInt32) -> UInt32? {
        guard let number = slotNumber(number), let slot = slot(number) else { return nil }
        let sequence = slot.sequence.pointee.load(ordering: .acquiring)
        return sequence == 0 || sequence & 1 != 0 ? nil : UInt32(truncatingIfNeeded: sequence)
    }

    /// Whether there was a time at which every slot had a name.
    public var isFull: Bool { usedCount == capacity }

    // MARK: Use

    /// Whether a slot with this time of last use is in use. A future time counts as in use.
    private static func isIdle(_ time: UInt32, at now: UInt32) -> Bool {
        let age = Int32(bitPattern: now &- time)
        return age > 0 && UInt32(age) > idleTime
    }

    /// Records a use of the slot, unless another name has taken it.
    private func renew(_ slot: UInt32, at now: UInt32) {
        guard let time = time(ofSlot: slot) else { return }
        let last = time.pointee.load(ordering: .relaxed)
        if last != now | 1 { _ = time.pointee.compareExchange(expected: last, desired: now | 1, ordering: .relaxed) }
    }

    /// Makes slots up to the ticket's findable, and continues the search for free slots after it.
    private func advance(beyond ticket: UInt64) {
        var current = next.pointee.load(ordering: .relaxed)
        while current <= ticket {
            // Counting wraps at 2^64, which no process lives to see.
            let (exchanged, found) = next.pointee.compareExchange(
                expected: current, desired: ticket &+ 1, ordering: .releasing)
            if exchanged { return }
            current = found
        }
    }

    /// Called after this table became a copy of another one that stays in use: new names get numbers from another
    /// offset.
    public func leave(random: UInt64) {
        next.pointee.wrappingAdd(1 + random % UInt64(capacity), ordering: .relaxed)
    }

    /// Returns false if another thread is writing the slot, or has ended during a write.
    private func write(_ name: HostName, to slot: Slot, _ number: UInt32) -> Bool {
        let before = slot.sequence.pointee.load(ordering: .relaxed)
        guard before & 1 == 0,
            slot.sequence.pointee.compareExchange(expected: before, desired: before | 1, ordering: .acquiring).exchanged
        else { return false }
        atomicMemoryFence(ordering: .releasing)
        let bytes = name.bytes
        let length = UInt8(truncatingIfNeeded: bytes.count)
        let check = check(of: name, inSlot: number, before &+ 2)
        slot.base.storeBytes(of: check, toByteOffset: NameTable.checkOffset, as: UInt64.self)
        slot.base.storeBytes(of: length, toByteOffset: NameTable.lengthOffset, as: UInt8.self)
        for index in bytes.indices {
            slot.base.storeBytes(of: bytes[index], toByteOffset: NameTable.nameOffset + index, as: UInt8.self)
        }
        slot.sequence.pointee.store(before &+ 2, ordering: .releasing)
        return true
    }

    /// The check of a name. It depends on the start of the numbers, so that a process with another start does not
    /// match.
    private func check(of name: HostName, inSlot slot: UInt32, _ sequence: UInt64) -> UInt64 {
        var check = mixed(UInt64(number(ofSlot: slot)), into: mixed(sequence, into: 0x243f_6a88_85a3_08d3))
        let bytes = name.bytes
        for index in bytes.indices { check = mixed(UInt64(bytes[index]), into: check) }
        return check
    }

    // MARK: The index

    /// A part of the index and the times: for `count` slots from `first` on, a hash table with twice as many entries,
    /// and a time for each slot.
    private struct Level {
        private(set) var first: UInt32 = 0
        private(set) var count = firstLevelCount
        private(set) var offset = headerSize

        private var bucketCount: UInt32 { count / (bucketWays / 2) }
        private var timesOffset: Int { offset + Int(bucketCount) * bucketSize }
        private var size: Int { Int(bucketCount) * bucketSize + Int(count) * timeSize }

        mutating func advance() {
            offset += size
            first += count
            count *= 2
        }

        func bucketOffset(hash: UInt32) -> Int {
            offset + Int(hash % bucketCount) * bucketSize
        }

        /// - Parameter slot: `first` or one of the `count` from there on.
        func timeOffset(ofSlot slot: UInt32) -> Int { timesOffset + Int(slot - first) * timeSize }

        /// The level of a slot.
        init(of slot: UInt32) {
            while slot - first >= count { advance() }
        }

        init() {}
    }

    /// The slot of a name.
    private func find(_ name: HostName, hash: UInt32) -> UInt32? {
        let usedCount = usedCount
        var level = Level()
        while level.first < usedCount {
            if let bucket = bucket(of: level, hash: hash) {
                for way in 0..<NameTable.bucketWays {
                    let entry = NameTable.entry(bucket, way).pointee.load(ordering: .acquiring)
                    if entry != 0, self.name(inSlot: entry - 1) == name { return entry - 1 }
                }
            }
            level.advance()
        }
        return nil
    }

    /// Takes a free entry of the hash's bucket, or that of the oldest slot.
    private func remember(_ number: UInt32, hash: UInt32) {
        guard let bucket = bucket(of: Level(of: number), hash: hash) else { return }
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

    // MARK: Slots

    private var next: UnsafeMutablePointer<Atomic<UInt64>> {
        memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// Slots that were ever given out are those below this number.
    private var usedCount: UInt32 {
        UInt32(truncatingIfNeeded: min(next.pointee.load(ordering: .acquiring), UInt64(capacity)))
    }

    /// nil when its memory cannot be had.
    private func bucket(of level: Level, hash: UInt32) -> UnsafeMutableRawPointer? {
        let offset = level.bucketOffset(hash: hash)
        return memory.reach(offset: offset, size: NameTable.bucketSize)
    }

    /// When a slot was used last: seconds, odd; 0: never. nil when its memory cannot be had.
    private func time(ofSlot slot: UInt32) -> UnsafeMutablePointer<Atomic<UInt32>>? {
        let offset = Level(of: slot).timeOffset(ofSlot: slot)
        return memory.reach(offset: offset, size: NameTable.timeSize)?.assumingMemoryBound(to: Atomic<UInt32>.self)
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
