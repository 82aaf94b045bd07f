import Synchronization

/// When the time of each place is over, and when that of the first of them.
///
/// The next one is a lower bound, kept in a word, so that a call that waits has its limit by one load. A look at all
/// of them is needed only when that moment has come: they lie side by side, and thousands are looked through in
/// microseconds.
///
/// During a look the bound is not known, and the word has the look's number in its upper bits: who asks for the next
/// one then is told to look, too. The first that has looked at all of them makes the bound known, so that nothing is
/// lost with a thread or process that ends in the middle.
///
/// Lies in memory that the caller provides, zero-filled, and can be shared by processes; used without locks.
public struct Deadlines: @unchecked Sendable {
    private let memory: UnsafeMutableRawPointer

    private static var headerSize: Int { 64 }
    /// Bits of the bound in its word: milliseconds of five hundred years. What is later counts as their end.
    private static var boundBits: Int { 44 }
    private static var boundMask: UInt64 { 1 << boundBits - 1 }

    /// Bytes of memory for so many places.
    public static func size(capacity: Int) -> Int { headerSize + capacity * 8 }

    /// - Parameter memory: `size(capacity:)` bytes, aligned to 8, zero-filled before the first use.
    public init(memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    /// Milliseconds; nil when no place has a deadline. Never later than the first deadline; 1 while somebody looks at
    /// all of them.
    public var next: Int? {
        let bound = bound.pointee.load(ordering: .relaxed)
        if bound > Deadlines.boundMask { return 1 }
        return bound == 0 ? nil : Int(bound)
    }

    /// Sets the place's deadline, in milliseconds greater than 0; nil: it has none.
    public func set(_ deadline: Int?, for place: Int) {
        let value = Int64(max(deadline ?? 0, 0))
        word(place).pointee.store(value, ordering: .sequentiallyConsistent)
        if value > 0 { lower(to: value) }
    }

    /// Calls `body` for each of the first `end` places whose deadline is over, which it is to set anew.
    ///
    /// - Parameter end: asked for once the look has begun: a place that is taken later has its deadline in the bound.
    public func forEachOver(now: Int, end: @autoclosure () -> Int, _ body: (Int) -> Void) {
        guard let look = beginLook(now: now) else { return }
        for place in 0..<end() {
            let deadline = word(place).pointee.load(ordering: .sequentiallyConsistent)
            guard deadline > 0, deadline <= Int64(now) else {
                if deadline > 0 { lower(to: deadline) }
                continue
            }
            body(place)
            let later = word(place).pointee.load(ordering: .sequentiallyConsistent)
            if later > 0 { lower(to: later) }
        }
        endLook(look)
    }

    /// Makes the bound unknown, unless it is by the look of another; nil when no time is over. Who sets a deadline lowers
    /// the bound afterwards: one that the look misses is in it.
    private func beginLook(now: Int) -> UInt64? {
        var current = bound.pointee.load(ordering: .sequentiallyConsistent)
        while current <= Deadlines.boundMask {
            guard current != 0, Int(current) <= now else { return nil }
            let number = looks.pointee.wrappingAdd(1, ordering: .relaxed).newValue << Deadlines.boundBits
            guard number != 0 else { continue }
            let (exchanged, found) = bound.pointee.compareExchange(
                expected: current, desired: number, ordering: .sequentiallyConsistent)
            if exchanged { return number }
            current = found
        }
        return current & ~Deadlines.boundMask
    }

    /// Makes the bound known, unless another did so since the look began.
    private func endLook(_ look: UInt64) {
        var current = bound.pointee.load(ordering: .sequentiallyConsistent)
        while current & ~Deadlines.boundMask == look {
            let (exchanged, found) = bound.pointee.compareExchange(
                expected: current, desired: current & Deadlines.boundMask, ordering: .sequentiallyConsistent)
            if exchanged { return }
            current = found
        }
    }

    private func lower(to deadline: Int64) {
        let deadline = min(UInt64(deadline), Deadlines.boundMask)
        var current = bound.pointee.load(ordering: .sequentiallyConsistent)
        while current & Deadlines.boundMask == 0 || current & Deadlines.boundMask > deadline {
            let (exchanged, found) = bound.pointee.compareExchange(
                expected: current, desired: current & ~Deadlines.boundMask | deadline,
                ordering: .sequentiallyConsistent)
            if exchanged { return }
            current = found
        }
    }

    private var bound: UnsafeMutablePointer<Atomic<UInt64>> { memory.assumingMemoryBound(to: Atomic<UInt64>.self) }
    /// Count of the looks that began.
    private var looks: UnsafeMutablePointer<Atomic<UInt64>> {
        (memory + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private func word(_ place: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        (memory + Deadlines.headerSize + place * 8).assumingMemoryBound(to: Atomic<Int64>.self)
    }
}
