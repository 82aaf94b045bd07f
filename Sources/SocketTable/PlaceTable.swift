import Synchronization
import TableMemory

/// Numbered places for what is known of some sockets for a while, each found by its socket's cookie.
///
/// The table lies in memory that the caller provides, and holds no pointer: several processes can share it. It is used
/// without locks by any number of threads, and a thread that ends in the middle leaves at worst one place unusable.
/// Whatever stands there, no number leads out of the table, and no search goes on without end. What lies in a place, and
/// who may touch it, is the owner's business.
///
/// A cookie is looked for in a window of slots behind the one that its hash names; a slot has the number of a place, and
/// the place its cookies: the one that it was published by, and those of the sockets that have taken the place of that
/// one's, of which the last two are remembered. Nothing but the window's length ends the search, so that a slot can be
/// given back at any time.
public struct PlaceTable<Memory: TableMemory & Sendable>: Sendable {
    /// Count of the places.
    public let capacity: Int
    private let memory: Memory

    private static var largestCapacity: Int { 1 << EventMarker.placeBits }
    private static var window: Int { 64 }
    private static var headerSize: Int { 64 }
    private static var cookieCount: Int { 3 }
    /// The cookies and the link of a place.
    private static var placeSize: Int { (cookieCount + 1) * 8 }
    private var slotCount: Int { capacity * 2 }

    // Layout: the header, the slots, as many more as the last window needs, and the places: those that are taken first lie
    // together.
    private static func slotsSize(_ slotCount: Int) -> Int { (slotCount + window) * 4 }

    /// Bytes of memory for so many places.
    public static func size(capacity: Int) -> Int {
        let rounded = roundedUp(capacity)
        return headerSize + slotsSize(rounded * 2) + rounded * placeSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 64.
    public init(memory: Memory, capacity: Int) {
        self.memory = memory
        self.capacity = PlaceTable.roundedUp(capacity)
    }

    private static func roundedUp(_ capacity: Int) -> Int {
        var rounded = 64
        while rounded < capacity, rounded < largestCapacity { rounded <<= 1 }
        return rounded
    }

    // MARK: Places

    /// Places that were ever taken are those below this number.
    public var end: Int {
        // In one order with the deadlines of a place that is taken (see Deadlines).
        Int(min(takenCount.pointee.load(ordering: .sequentiallyConsistent), UInt64(capacity)))
    }

    /// Takes a place that nobody has; nil when all are taken, or there is no memory for one. It is not found by a cookie
    /// before `publish`.
    public func take() -> Int? {
        var head = freeHead.pointee.load(ordering: .acquiring)
        while head & 0xffff_ffff != 0 {
            let place = Int(head & 0xffff_ffff) - 1
            // The upper half counts, so that a place that was taken and given back meanwhile is noticed.
            var next = (head >> 32 &+ 1) << 32
            // Where a place is somebody's, or there is none, what leads to it is no list of free ones: they are lost.
            var isFree = false
            if place < capacity {
                guard let words = words(of: place) else { return nil }
                isFree = words.cookie(0).pointee.load(ordering: .acquiring) == 0
                if isFree { next |= words.link.pointee.load(ordering: .relaxed) & 0xffff_ffff }
            }
            let (exchanged, current) = freeHead.pointee.compareExchange(
                expected: head, desired: next, ordering: .acquiringAndReleasing)
            if exchanged {
                if isFree { return place }
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

    /// Makes a place that was taken the cookie's. False when the window is full of others, or there is no memory for it.
    public func publish(_ place: Int, cookie: UInt64) -> Bool {
        guard let words = words(of: place) else { return false }
        let before = words.cookie(0).pointee.exchange(cookie, ordering: .relaxed)
        if takeSlot(for: cookie, place) { return true }
        words.cookie(0).pointee.store(before, ordering: .relaxed)
        return false
    }

    /// Has a published place be found by another cookie, too: that of a socket which is about to take the place of its
    /// own. False when the window is full of others, or there is no memory for it. Nobody else may do so at the same time.
    public func add(_ cookie: UInt64, to place: Int) -> Bool {
        guard let words = words(of: place) else { return false }
        let (latest, former) = (words.cookie(1), words.cookie(2))
        let forgotten = former.pointee.load(ordering: .relaxed)
        former.pointee.store(latest.pointee.load(ordering: .relaxed), ordering: .releasing)
        latest.pointee.store(cookie, ordering: .releasing)
        giveSlotBack(of: forgotten, place)
        return takeSlot(for: cookie, place)
    }

    private func takeSlot(for cookie: UInt64, _ place: Int) -> Bool {
        exchangeSlot(of: cookie, from: 0, to: UInt32(place) + 1)
    }

    private func giveSlotBack(of cookie: UInt64, _ place: Int) {
        if cookie != 0 { _ = exchangeSlot(of: cookie, from: UInt32(place) + 1, to: 0) }
    }

    /// Exchanges the first slot of the cookie's window that has this word; false when none has.
    private func exchangeSlot(of cookie: UInt64, from word: UInt32, to other: UInt32) -> Bool {
        guard let window = window(of: cookie) else { return false }
        for number in 0..<PlaceTable.window
        where PlaceTable.slot(window, number).pointee.compareExchange(
            expected: word, desired: other, ordering: .acquiringAndReleasing
        ).exchanged {
            return true
        }
        return false
    }

    /// The place of a cookie; nil when it has none. Whether it still is the cookie's is to be asked again, by
    /// `isFound`, when nobody can give it back any more.
    public func find(cookie: UInt64) -> Int? {
        guard cookie != 0, let window = window(of: cookie) else { return nil }
        for number in 0..<PlaceTable.window {
            let place = Int(PlaceTable.slot(window, number).pointee.load(ordering: .acquiring)) - 1
            // A slot may be one that a thread left behind which ended in the middle.
            if place >= 0, place < capacity, isFound(place, by: cookie) { return place }
        }
        return nil
    }

    /// Whether the cookie is one of the place's.
    public func isFound(_ place: Int, by cookie: UInt64) -> Bool {
        guard let words = words(of: place) else { return false }
        // In the order in which `add` moves them.
        for number in 0..<PlaceTable.cookieCount
        where words.cookie(number).pointee.load(ordering: .acquiring) == cookie { return true }
        return false
    }

    /// The cookie that the place was published by; 0 when it belongs to none.
    public func cookie(of place: Int) -> UInt64 {
        words(of: place)?.cookie(0).pointee.load(ordering: .acquiring) ?? 0
    }

    /// Makes the place nobody's, without giving it to others yet.
    public func withdraw(_ place: Int) {
        guard let words = words(of: place) else { return }
        for number in 0..<PlaceTable.cookieCount {
            giveSlotBack(of: words.cookie(number).pointee.exchange(0, ordering: .acquiringAndReleasing), place)
        }
    }

    /// Gives a place back that was taken, and is nobody's.
    public func giveBack(_ place: Int) {
        guard let words = words(of: place) else { return }
        var head = freeHead.pointee.load(ordering: .relaxed)
        while true {
            words.link.pointee.store(head & 0xffff_ffff, ordering: .relaxed)
            let new = UInt64(place + 1) | (head >> 32 &+ 1) << 32
            let (exchanged, current) = freeHead.pointee.compareExchange(
                expected: head, desired: new, ordering: .acquiringAndReleasing)
            if exchanged { return }
            head = current
        }
    }

    // MARK: Memory

    /// Where the search for a cookie begins. Cookies count up, for each processor from another number: their hash is
    /// spread, because runs of neighbours that lie on top of each other would fill a window.
    func firstSlot(of cookie: UInt64) -> Int {
        Int(truncatingIfNeeded: (cookie &* 0x9e37_79b9_7f4a_7c15) >> 32) & (slotCount - 1)
    }

    private var freeHead: UnsafeMutablePointer<Atomic<UInt64>> {
        memory.base.assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    private var takenCount: UnsafeMutablePointer<Atomic<UInt64>> { freeHead + 1 }

    /// What the table knows of a place.
    private struct Words {
        let base: UnsafeMutableRawPointer

        func cookie(_ number: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            (base + number * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        }
        /// The number of the next free place, plus one; 0 at the end.
        var link: UnsafeMutablePointer<Atomic<UInt64>> { cookie(PlaceTable.cookieCount) }
    }

    private func words(of place: Int) -> Words? {
        let offset = PlaceTable.headerSize + PlaceTable.slotsSize(slotCount) + place * PlaceTable.placeSize
        return memory.reach(offset: offset, size: PlaceTable.placeSize).map { Words(base: $0) }
    }

    /// The slots in which a cookie is looked for; nil when there is no memory for them.
    private func window(of cookie: UInt64) -> UnsafeMutableRawPointer? {
        memory.reach(offset: PlaceTable.headerSize + firstSlot(of: cookie) * 4, size: PlaceTable.window * 4)
    }

    private static func slot(_ window: UnsafeMutableRawPointer, _ number: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        (window + number * 4).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}
