import Synchronization

/// Numbered places for what is known of some sockets for a while, each found by its socket's cookie.
///
/// The table lies in memory that the caller provides, zero-filled, and holds no pointer: several processes can share
/// it. It is used without locks by any number of threads, and a thread that ends in the middle leaves at worst one
/// place unusable. Whatever stands there, no number leads out of the table, and no search goes on without end. What lies in a place, and who may touch it, is the owner's business.
///
/// A cookie is looked for in a window of slots behind the one that its hash names; a slot has the number of a place, and
/// the place its cookies: the one that it was published by, and those of the sockets that have taken the place of that
/// one's, of which the last two are remembered. Nothing but the window's length ends the search, so that a slot can be
/// given back at any time.
public struct PlaceTable: @unchecked Sendable {
    /// Count of the places.
    public let capacity: Int
    private let memory: UnsafeMutableRawPointer

    private static var largestCapacity: Int { 1 << EventMarker.placeBits }
    private static var window: Int { 64 }
    private static var headerSize: Int { 64 }
    private static var cookieCount: Int { 3 }
    private var slotCount: Int { capacity * 2 }

    /// Bytes of memory for so many places.
    public static func size(capacity: Int) -> Int {
        // Per place: its cookies, its link, and two slots.
        headerSize + roundedUp(capacity) * (cookieCount * 8 + 4 + 2 * 4)
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes, aligned to 8, zero-filled before the first use.
    ///   - capacity: rounded up to a power of two of at least 64.
    public init(memory: UnsafeMutableRawPointer, capacity: Int) {
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

    /// Takes a place that nobody has; nil when all are taken. It is not found by a cookie before `publish`.
    public func take() -> Int? {
        var head = freeHead.pointee.load(ordering: .acquiring)
        while head & 0xffff_ffff != 0 {
            let place = Int(head & 0xffff_ffff) - 1
            // Where a place is somebody's, or there is none, what leads to it is no list of free ones: they are lost.
            let isFree = place < capacity && cookie(of: place) == 0
            // The upper half counts, so that a place that was taken and given back meanwhile is noticed.
            let next = UInt64(isFree ? link(place).pointee.load(ordering: .relaxed) : 0) | (head >> 32 &+ 1) << 32
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
            let (exchanged, current) = takenCount.pointee.compareExchange(
                expected: count, desired: count + 1, ordering: .sequentiallyConsistent)
            if exchanged, cookie(of: Int(count)) == 0 { return Int(count) }
            count = exchanged ? count + 1 : current
        }
        return nil
    }

    /// Makes a place that was taken the cookie's. False when the window is full of others.
    public func publish(_ place: Int, cookie: UInt64) -> Bool {
        let before = cookieWord(place, 0).pointee.exchange(cookie, ordering: .relaxed)
        if takeSlot(for: cookie, place) { return true }
        cookieWord(place, 0).pointee.store(before, ordering: .relaxed)
        return false
    }

    /// Has a published place be found by another cookie, too: that of a socket which is about to take the place of its
    /// own. False when the window is full of others. Nobody else may do so at the same time.
    public func add(_ cookie: UInt64, to place: Int) -> Bool {
        let (latest, former) = (cookieWord(place, 1), cookieWord(place, 2))
        let forgotten = former.pointee.load(ordering: .relaxed)
        former.pointee.store(latest.pointee.load(ordering: .relaxed), ordering: .releasing)
        latest.pointee.store(cookie, ordering: .releasing)
        giveSlotBack(of: forgotten, place)
        return takeSlot(for: cookie, place)
    }

    private func takeSlot(for cookie: UInt64, _ place: Int) -> Bool {
        for offset in 0..<PlaceTable.window
        where slot(firstSlot(of: cookie) + offset).pointee.compareExchange(
            expected: 0, desired: UInt32(place) + 1, ordering: .acquiringAndReleasing
        ).exchanged {
            return true
        }
        return false
    }

    private func giveSlotBack(of cookie: UInt64, _ place: Int) {
        guard cookie != 0 else { return }
        for offset in 0..<PlaceTable.window
        where slot(firstSlot(of: cookie) + offset).pointee.compareExchange(
            expected: UInt32(place) + 1, desired: 0, ordering: .acquiringAndReleasing
        ).exchanged {
            return
        }
    }

    /// The place of a cookie; nil when it has none. Whether it still is the cookie's is to be asked again, by
    /// `isFound`, when nobody can give it back any more.
    public func find(cookie: UInt64) -> Int? {
        guard cookie != 0 else { return nil }
        for offset in 0..<PlaceTable.window {
            let holder = slot(firstSlot(of: cookie) + offset).pointee.load(ordering: .acquiring)
            let place = Int(holder) - 1
            // A slot may be one that a thread left behind which ended in the middle.
            if place >= 0, place < capacity, isFound(place, by: cookie) { return place }
        }
        return nil
    }

    /// Whether the cookie is one of the place's.
    public func isFound(_ place: Int, by cookie: UInt64) -> Bool {
        // In the order in which `add` moves them.
        for number in 0..<PlaceTable.cookieCount
        where cookieWord(place, number).pointee.load(ordering: .acquiring) == cookie { return true }
        return false
    }

    /// The cookie that the place was published by; 0 when it belongs to none.
    public func cookie(of place: Int) -> UInt64 {
        cookieWord(place, 0).pointee.load(ordering: .acquiring)
    }

    /// Makes the place nobody's, without giving it to others yet.
    public func withdraw(_ place: Int) {
        for number in 0..<PlaceTable.cookieCount {
            let cookie = cookieWord(place, number).pointee.exchange(0, ordering: .acquiringAndReleasing)
            giveSlotBack(of: cookie, place)
        }
    }

    /// Gives a place back that was taken, and is nobody's.
    public func giveBack(_ place: Int) {
        var head = freeHead.pointee.load(ordering: .relaxed)
        while true {
            link(place).pointee.store(UInt32(truncatingIfNeeded: head), ordering: .relaxed)
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

    private var freeHead: UnsafeMutablePointer<Atomic<UInt64>> { wide(0) }
    private var takenCount: UnsafeMutablePointer<Atomic<UInt64>> { wide(8) }

    private func cookieWord(_ place: Int, _ number: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        wide(PlaceTable.headerSize + (place * PlaceTable.cookieCount + number) * 8)
    }
    private var narrowOffset: Int { PlaceTable.headerSize + capacity * PlaceTable.cookieCount * 8 }
    private func link(_ place: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        narrow(narrowOffset + place * 4)
    }
    private func slot(_ number: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        narrow(narrowOffset + (capacity + number & (slotCount - 1)) * 4)
    }

    private func wide(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (memory + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    private func narrow(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        (memory + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }
}
