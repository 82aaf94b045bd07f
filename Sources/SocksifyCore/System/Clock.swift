import CKernel

/// The time for limits, in milliseconds of CLOCK_MONOTONIC.
enum Clock {
    /// The longest limit, 24 days: the largest timeout of poll(2).
    static var longest: Int { Int(Int32.max) }

    /// Whole seconds, modulo 2³².
    static var seconds: UInt32 { UInt32(truncatingIfNeeded: now / 1000) }

    @inline(never)
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec) &* 1000 &+ Int(time.tv_nsec) / 1_000_000
    }
}
