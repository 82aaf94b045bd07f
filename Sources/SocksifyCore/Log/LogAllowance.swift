import CPreload
import Synchronization

/// Bounds the lines that nobody has asked for: a program that fails in a loop must not fill its standard error. As many
/// as `burst` may be written at once, and then one a second.
enum LogAllowance {
    private static var burst: Int { 20 }
    private static var interval: Int { 1000 }

    // In the word: the time at which all that was written is paid for, in milliseconds, and below it how many lines were
    // left out since the last one.
    private static var leftOutBits: Int { 20 }
    private static var mostLeftOut: UInt64 { 1 << leftOutBits - 1 }

    /// Takes a line from what the process is allowed; nil when it is to be left out, else how many were before it.
    static func take() -> Int? { take(from: socksify_log_allowance_word(), at: Clock.now) }

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
