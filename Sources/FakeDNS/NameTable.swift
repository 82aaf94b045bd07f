import Addressing
import Synchronization
import TableMemory

/// Names, each under a number that an address can stand for: the number finds the name in one step.
///
/// A number is never given to another name before it was unused for ten minutes: looked up, or asked for its name. Where
/// all numbers are in use there is none for another name. Names have slots in the order in which they come; the numbers
/// of the slots begin at a place that each table draws for itself, so that a number of one table hardly ever means
/// anything in another.
///
/// The table lies in memory that the caller provides, and holds no pointer, so that it can be shared between
/// processes. Any number of threads and processes use it at once, without locks, so that a signal handler, a fork, or
/// the end of a process in the middle of a change does no harm:
///
/// - A slot is claimed by the time of its last use, and belongs to the claimer until it is written. Its sequence number
///   is odd while it is being written, which keeps other writers away. The slot of a writer that ended there is passed
///   over.
/// - `next` says where free slots are looked for, and the index, from a name's hash to slots that may hold it, is no
///   more than a memory of what was given out: an entry that is lost or stale costs a second number for the same name,
///   never a wrong name.
/// - A reader takes what it copied only when its check fits the name, its number and the sequence number: a name that
///   was being replaced, and whatever was damaged, is none.
///
/// What is not used is not touched. Index and times grow with the names: they are a row of levels, each for twice as many
/// slots as the one before; the first two, for 192 names, share a page with what lies before them.
public struct NameTable<Memory: TableMemory & Sendable>: Sendable {
    /// Count of the names that are held.
    public let capacity: UInt32
    private let memory: Memory
    /// Count of the numbers, and the one of the first slot.
    private let numberCount: UInt32
    private let firstNumber: UInt32

    /// Seconds without use after which a number can be another name's.
    public static var idleTime: UInt32 { 600 }

    // Layout: `next`, the key, the levels, then the slots.
    private static var headerSize: Int { 64 }
    private static var keyOffset: Int { 8 }
    /// Slots that the first level is for.
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
    /// nil for a table whose key was damaged: nobody knows any more where its numbers begin.
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
        // Read once: what becomes of the word later moves no name.
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

    /// The number of `name`, a new one where it has none yet; nil when there is no memory for it, or all are in use.
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

    /// The name under `number`, which thereby is in use; nil when there is none, or when it is being replaced at this
    /// moment.
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

    /// Whether a name stands under `number` at this moment.
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

    /// Whether a slot that was used last at this time is anybody's. One of a time to come is in use: nothing is known of
    /// it.
    private static func isIdle(_ time: UInt32, at now: UInt32) -> Bool {
        let age = Int32(bitPattern: now &- time)
        return age > 0 && UInt32(age) > idleTime
    }

    /// The slot is used now. Not the next name's, if it has become that one's since.
    private func renew(_ slot: UInt32, at now: UInt32) {
        guard let time = time(ofSlot: slot) else { return }
        let last = time.pointee.load(ordering: .relaxed)
        if last != now | 1 { _ = time.pointee.compareExchange(expected: last, desired: now | 1, ordering: .relaxed) }
    }

    /// Names of slots up to that of the ticket are found from now on, and free slots looked for behind it.
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

    /// The table has become a copy of another, which goes on giving out numbers: new names have theirs from elsewhere.
    public func leave(random: UInt64) {
        next.pointee.wrappingAdd(1 + random % UInt64(capacity), ordering: .relaxed)
    }

    /// Returns false when another thread is writing the slot, or has ended there.
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

    /// What the check of a name must be: whoever takes the numbers to begin elsewhere does not find it.
    private func check(of name: HostName, inSlot slot: UInt32, _ sequence: UInt64) -> UInt64 {
        var check = mixed(UInt64(number(ofSlot: slot)), into: mixed(sequence, into: 0x243f_6a88_85a3_08d3))
        let bytes = name.bytes
        for index in bytes.indices { check = mixed(UInt64(bytes[index]), into: check) }
        return check
    }

    // MARK: The index

    /// One of the parts that the index and the times consist of: for `count` slots from `first` on, a hash table of twice
    /// as many entries as there are slots, and a time for each.
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

    /// Takes a free place of the hash's bucket, or that of the slot that was given out first.
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

    // MARK: Places

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
