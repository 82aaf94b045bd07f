import CPreload
import Synchronization

/// Limits the rate of unrequested lines, so that a program that fails in a loop does not fill its standard error:
/// `burst` lines at a time, then one for each `interval`.
enum LogRateLimit {
    private static var burst: Int { 20 }
    private static var interval: Int { 1000 }

    // In the word: the time in milliseconds at which the full burst is available again, and in the low bits the number
    // of lines omitted since the last one.
    private static var leftOutBits: Int { 20 }
    private static var mostLeftOut: UInt64 { 1 << leftOutBits - 1 }

    /// Takes permission for a line: the number of omitted lines before it; nil if this one is to be omitted.
    static func take() -> Int? { take(from: process_log_limit_word(), at: Clock.now) }

    /// - Parameters:
    ///   - word: what was taken before; 0: nothing.
    ///   - now: milliseconds.
    static func take(from word: UnsafeMutablePointer<UInt64>, at now: Int) -> Int? {
        let word = atomic(word)
        var old = word.pointee.load(ordering: .relaxed)
        while true {
            let leftOut = old & mostLeftOut
            let paid = max(Int(truncatingIfNeeded: old >> leftOutBits), now)
            let isAllowed = paid - now <= (burst - 1) * interval
            let new =
                isAllowed
                ? UInt64(truncatingIfNeeded: paid + interval) << leftOutBits
                : old - leftOut + min(leftOut + 1, mostLeftOut)
            let (exchanged, current) = word.pointee.compareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return isAllowed ? Int(leftOut) : nil }
            old = current
        }
    }
}
