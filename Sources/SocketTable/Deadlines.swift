import Synchronization

/// When the time of each place is over, and when that of the first of them.
///
/// The next one is a lower bound, kept in a word, so that a call that waits has its limit by one load. A look at all
/// of them is needed only when that moment has come: they lie side by side, and thousands are looked through in
/// microseconds.
///
/// Lies in memory that the caller provides, zero-filled; used without locks.
public struct Deadlines: @unchecked Sendable {
    private let memory: UnsafeMutableRawPointer

    private static var headerSize: Int { 64 }

    /// Bytes of memory for so many places.
    public static func size(capacity: Int) -> Int { headerSize + capacity * 8 }

    /// - Parameter memory: `size(capacity:)` bytes, aligned to 8, zero-filled before the first use.
    public init(memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    /// Milliseconds; nil when no place has a deadline. Never later than the first deadline.
    public var next: Int? {
        let bound = bound.pointee.load(ordering: .relaxed)
        return bound == 0 ? nil : Int(bound)
    }

    /// Sets the place's deadline, in milliseconds greater than 0; nil: it has none.
    public func set(_ deadline: Int?, for place: Int) {
        let value = Int64(max(deadline ?? 0, 0))
        word(place).pointee.store(value, ordering: .sequentiallyConsistent)
        if value > 0 { lower(to: value) }
    }

    /// Calls `body` for each of the first `end` places whose deadline is over, which it is to set anew.
    public func forEachOver(now: Int, end: Int, _ body: (Int) -> Void) {
        guard let next, next <= now else { return }
        // Who sets a deadline lowers the bound afterwards: one that this look misses is in the bound.
        bound.pointee.store(0, ordering: .sequentiallyConsistent)
        for place in 0..<end {
            let deadline = word(place).pointee.load(ordering: .sequentiallyConsistent)
            guard deadline > 0, deadline <= Int64(now) else {
                if deadline > 0 { lower(to: deadline) }
                continue
            }
            body(place)
            let later = word(place).pointee.load(ordering: .sequentiallyConsistent)
            if later > 0 { lower(to: later) }
        }
    }

    private func lower(to deadline: Int64) {
        var current = bound.pointee.load(ordering: .sequentiallyConsistent)
        while current == 0 || current > deadline {
            let (exchanged, found) = bound.pointee.compareExchange(
                expected: current, desired: deadline, ordering: .sequentiallyConsistent)
            if exchanged { return }
            current = found
        }
    }

    private var bound: UnsafeMutablePointer<Atomic<Int64>> { memory.assumingMemoryBound(to: Atomic<Int64>.self) }

    private func word(_ place: Int) -> UnsafeMutablePointer<Atomic<Int64>> {
        (memory + Deadlines.headerSize + place * 8).assumingMemoryBound(to: Atomic<Int64>.self)
    }
}
