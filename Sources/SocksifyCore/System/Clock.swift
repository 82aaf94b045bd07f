import CKernel

/// Time for limits: milliseconds that go on counting whatever the wall clock does (CLOCK_MONOTONIC).
enum Clock {
    /// The longest limit that is told apart from none: 24 days, what fits poll(2).
    static var longest: Int { Int(Int32.max) }

    /// Whole seconds, from the start of a count that goes round.
    static var seconds: UInt32 { UInt32(truncatingIfNeeded: now / 1000) }

    @inline(never)
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) &* 1000 &+ Int(time.tv_nsec) / 1_000_000
    }
}
