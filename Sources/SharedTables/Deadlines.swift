import Synchronization

/// The deadline of each slot, and a lower bound of all deadlines.
///
/// The bound is kept in a word, so that a waiting call gets its limit by one load. Only when that time has come all
/// deadlines are scanned: they are contiguous, and a scan of thousands takes microseconds.
///
/// During a scan the bound is unknown, and the word has the scan's number in its upper bits: a call that asks for the
/// next deadline then scans, too. The first complete scan sets the bound, so that a thread or process that ends during
/// its scan does no harm.
///
/// Lies in zero-filled memory of the caller, can be shared by processes, and works without locks.
public struct Deadlines: @unchecked Sendable {
    private let memory: UnsafeMutableRawPointer

    private static var headerSize: Int { 64 }
    /// Bits of the bound in its word: milliseconds of five hundred years. What is later counts as their end.
    private static var boundBits: Int { 44 }
    private static var boundMask: UInt64 { 1 << boundBits - 1 }

    /// Bytes of memory for so many slots.
    public static func size(capacity: Int) -> Int { headerSize + capacity * 8 }

    /// - Parameter memory: `size(capacity:)` bytes, aligned to 8, zero-filled before the first use.
    public init(memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    /// The lower bound in milliseconds, never later than the first deadline; nil without deadlines; 1 during a scan.
    public var next: Int? {
        let bound = bound.pointee.load(ordering: .relaxed)
        if bound > Deadlines.boundMask { return 1 }
        return bound == 0 ? nil : Int(bound)
    }

    /// Sets the slot's deadline, in milliseconds greater than 0; nil for none.
    public func set(_ deadline: Int?, for slot: Int) {
        let value = Int64(max(deadline ?? 0, 0))
        word(slot).pointee.store(value, ordering: .sequentiallyConsistent)
        if value > 0 { lower(to: value) }
    }

    /// Calls `body` for each of the first `end` slots whose deadline has expired; `body` must set it again.
    ///
    /// - Parameter end: evaluated after the scan has begun: the deadline of a slot that is taken later is in the bound.
    public func forEachOver(now: Int, end: @autoclosure () -> Int, _ body: (Int) -> Void) {
        guard let look = beginLook(now: now) else { return }
        for slot in 0..<end() {
            let deadline = word(slot).pointee.load(ordering: .sequentiallyConsistent)
            guard deadline > 0, deadline <= Int64(now) else {
                if deadline > 0 { lower(to: deadline) }
                continue
            }
            body(slot)
            let later = word(slot).pointee.load(ordering: .sequentiallyConsistent)
            if later > 0 { lower(to: later) }
        }
        endLook(look)
    }

    /// Makes the bound unknown, unless it is by the look of another; nil when no time is over. Who sets a deadline
    /// lowers the bound afterwards: one that the look misses is in it.
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

    private func word(_ slot: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        (memory + Deadlines.headerSize + slot * 8).assumingMemoryBound(to: Atomic<Int64>.self)
    }
}
