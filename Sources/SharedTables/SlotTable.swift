import Synchronization
import TableMemory

/// Numbered entries for temporary data of sockets, found by the socket's cookie.
///
/// The table lies in memory of the caller and contains no pointers, so that processes can share it. Any number of
/// threads uses it without locks; a thread that ends during a change leaves at most one entry unusable. Damaged
/// contents cannot lead outside the table or make a search endless. The contents of an entry and access to them are up
/// to the caller.
///
/// A cookie is searched in a window of index buckets after the one of its hash. An index bucket has the number of an
/// entry, and the entry its cookies: the one that it was published with, and the last two of the sockets that replaced
/// that socket. Only the window's length ends a search, so that an index bucket can be freed at any time.
public struct SlotTable<Memory: TableMemory & Sendable>: Sendable {
    /// Count of the slots.
    public let capacity: Int
    private let memory: Memory

    private static var largestCapacity: Int { 1 << EventMarker.slotBits }
    private static var window: Int { 64 }
    private static var headerSize: Int { 64 }
    private static var cookieCount: Int { 3 }
    /// The cookies and the link of a slot.
    private static var slotSize: Int { (cookieCount + 1) * 8 }
    private var bucketCount: Int { capacity * 2 }

    // Layout: the header, the index buckets, with as many more as the last window needs, and the entries: those that
    // are taken first lie together.
    private static func bucketsSize(_ bucketCount: Int) -> Int { (bucketCount + window) * 4 }

    /// Bytes of memory for so many slots.
    public static func size(capacity: Int) -> Int {
        let rounded = roundedUp(capacity)
        return headerSize + bucketsSize(rounded * 2) + rounded * slotSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 64.
    public init(memory: Memory, capacity: Int) {
        self.memory = memory
        self.capacity = SlotTable.roundedUp(capacity)
    }

    private static func roundedUp(_ capacity: Int) -> Int {
        var rounded = 64
        while rounded < capacity, rounded < largestCapacity { rounded <<= 1 }
        return rounded
    }

    // MARK: Slots

    /// Slots that were ever taken are those below this number.
    public var end: Int {
        // In one order with the deadlines of a slot that is taken (see Deadlines).
        Int(min(takenCount.pointee.load(ordering: .sequentiallyConsistent), UInt64(capacity)))
    }

    /// Takes a free entry; nil if all are taken, or without memory. It cannot be found by a cookie before `publish`.
    public func take() -> Int? {
        var head = freeHead.pointee.load(ordering: .acquiring)
        while head & 0xffff_ffff != 0 {
            let slot = Int(head & 0xffff_ffff) - 1
            // The upper half counts changes, so that an entry that was taken and freed meanwhile is noticed (ABA).
            var next = (head >> 32 &+ 1) << 32
            // If the list of free entries leads to one in use, or to none, it is damaged, and its rest is lost.
            var isFree = false
            if slot < capacity {
                guard let words = words(of: slot) else { return nil }
                isFree = words.cookie(0).pointee.load(ordering: .acquiring) == 0
                if isFree { next |= words.link.pointee.load(ordering: .relaxed) & 0xffff_ffff }
            }
            let (exchanged, current) = freeHead.pointee.compareExchange(
                expected: head, desired: next, ordering: .acquiringAndReleasing)
            if exchanged {
                if isFree { return slot }
                break
            }
            head = current
        }
        var count = takenCount.pointee.load(ordering: .relaxed)
        while count < UInt64(capacity) {
            guard let words = words(of: Int(count)) else { return nil }
            let (exchanged, current) = takenCount.pointee.compareExchange(
                expected: count, desired: count + 1, ordering: .sequentiallyConsistent)
            if exchanged, words.cookie(0).pointee.load(ordering: .acquiring) == 0 { return Int(count) }
            count = exchanged ? count + 1 : current
        }
        return nil
    }

    /// Assigns a taken entry to the cookie. False if the window is full, or without memory.
    public func publish(_ slot: Int, cookie: UInt64) -> Bool {
        guard let words = words(of: slot) else { return false }
        let before = words.cookie(0).pointee.exchange(cookie, ordering: .relaxed)
        if takeBucket(for: cookie, slot) { return true }
        words.cookie(0).pointee.store(before, ordering: .relaxed)
        return false
    }

    /// Makes a published entry also findable by the cookie of a socket that is about to replace its socket. False if
    /// the window is full, or without memory. Only one thread at a time may do this for an entry.
    public func add(_ cookie: UInt64, to slot: Int) -> Bool {
        guard let words = words(of: slot) else { return false }
        let (latest, former) = (words.cookie(1), words.cookie(2))
        let forgotten = former.pointee.load(ordering: .relaxed)
        former.pointee.store(latest.pointee.load(ordering: .relaxed), ordering: .releasing)
        latest.pointee.store(cookie, ordering: .releasing)
        giveBucketBack(of: forgotten, slot)
        return takeBucket(for: cookie, slot)
    }

    private func takeBucket(for cookie: UInt64, _ slot: Int) -> Bool {
        exchangeBucket(of: cookie, from: 0, to: UInt32(slot) + 1)
    }

    private func giveBucketBack(of cookie: UInt64, _ slot: Int) {
        if cookie != 0 { _ = exchangeBucket(of: cookie, from: UInt32(slot) + 1, to: 0) }
    }

    /// Exchanges the first index bucket with this word in the cookie's window; false if there is none.
    private func exchangeBucket(of cookie: UInt64, from word: UInt32, to other: UInt32) -> Bool {
        guard let window = window(of: cookie) else { return false }
        for number in 0..<SlotTable.window
        where SlotTable.bucket(window, number).pointee.compareExchange(
            expected: word, desired: other, ordering: .acquiringAndReleasing
        ).exchanged {
            return true
        }
        return false
    }

    /// The entry of a cookie; nil if it has none. Once no other thread can free the entry any more, check again with
    /// `isFound` that it is still the cookie's.
    public func find(cookie: UInt64) -> Int? {
        guard cookie != 0, let window = window(of: cookie) else { return nil }
        for number in 0..<SlotTable.window {
            let slot = Int(SlotTable.bucket(window, number).pointee.load(ordering: .acquiring)) - 1
            // A thread that ended during a change may have left a stale index bucket.
            if slot >= 0, slot < capacity, isFound(slot, by: cookie) { return slot }
        }
        return nil
    }

    /// Whether the cookie is one of the entry's.
    public func isFound(_ slot: Int, by cookie: UInt64) -> Bool {
        guard let words = words(of: slot) else { return false }
        // Read in the order in which `add` moves them.
        for number in 0..<SlotTable.cookieCount
        where words.cookie(number).pointee.load(ordering: .acquiring) == cookie { return true }
        return false
    }

    /// The cookie that the entry was published with; 0 if there is none.
    public func cookie(of slot: Int) -> UInt64 {
        words(of: slot)?.cookie(0).pointee.load(ordering: .acquiring) ?? 0
    }

    /// Removes the entry's cookies, without freeing it yet.
    public func withdraw(_ slot: Int) {
        guard let words = words(of: slot) else { return }
        for number in 0..<SlotTable.cookieCount {
            giveBucketBack(of: words.cookie(number).pointee.exchange(0, ordering: .acquiringAndReleasing), slot)
        }
    }

    /// Frees an entry without cookies.
    public func giveBack(_ slot: Int) {
        guard let words = words(of: slot) else { return }
        var head = freeHead.pointee.load(ordering: .relaxed)
        while true {
            words.link.pointee.store(head & 0xffff_ffff, ordering: .relaxed)
            let new = UInt64(slot + 1) | (head >> 32 &+ 1) << 32
            let (exchanged, current) = freeHead.pointee.compareExchange(
                expected: head, desired: new, ordering: .acquiringAndReleasing)
            if exchanged { return }
            head = current
        }
    }

    // MARK: Memory

    /// The start of the search for a cookie. Cookies count up, in a range for each processor. The hash spreads them,
    /// because overlapping runs of neighbours would fill a window.
    func firstBucket(of cookie: UInt64) -> Int {
        Int(truncatingIfNeeded: (cookie &* 0x9e37_79b9_7f4a_7c15) >> 32) & (bucketCount - 1)
    }

    private var freeHead: UnsafeMutablePointer<Atomic<UInt64>> {
        memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    private var takenCount: UnsafeMutablePointer<Atomic<UInt64>> { freeHead + 1 }

    /// The table's data of an entry.
    private struct Words {
        let base: UnsafeMutableRawPointer

        func cookie(_ number: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            (base + number * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        }
        /// The number of the next free entry, plus one; 0 at the end.
        var link: UnsafeMutablePointer<Atomic<UInt64>> { cookie(SlotTable.cookieCount) }
    }

    private func words(of slot: Int) -> Words? {
        let offset = SlotTable.headerSize + SlotTable.bucketsSize(bucketCount) + slot * SlotTable.slotSize
        return memory.reach(offset: offset, size: SlotTable.slotSize).map { Words(base: $0) }
    }

    /// The index buckets of a cookie's window; nil without memory.
    private func window(of cookie: UInt64) -> UnsafeMutableRawPointer? {
        memory.reach(offset: SlotTable.headerSize + firstBucket(of: cookie) * 4, size: SlotTable.window * 4)
    }

    private static func bucket(_ window: UnsafeMutableRawPointer, _ number: Int) -> UnsafeMutablePointer<Atomic<UInt32>>
    {
        (window + number * 4).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}
