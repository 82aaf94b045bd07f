import CPreload
import Synchronization

/// A lock in a word that holds the number of the thread that has it: a thread that is gone, because it was killed, the
/// process forked, or a child of vfork ended, is seen not to hold it any more.
///
/// Where processes share the word, whatever number stands there may be that of a thread which knows nothing of it: nobody
/// is waited for longer than the few system calls for which a lock is held could ever take.
struct ThreadLock {
    private let word: UnsafeMutablePointer<Atomic<UInt64>>
    private let isShared: Bool

    init(_ word: UnsafeMutablePointer<UInt64>, isShared: Bool = false) {
        self.word = atomic(word)
        self.isShared = isShared
    }

    /// How `acquire` ended.
    enum Acquisition {
        case acquired
        /// Its owner is gone, or never had it: what it protects may be half changed.
        case inherited
        /// The calling thread has it already.
        case isOwn
    }

    /// Attempts that only yield: owners mostly have it for a few system calls.
    private static var patience: Int { 50 }

    /// Milliseconds that a thread of another process, or of this one, may hold a shared lock.
    private static var longestHold: Int { 1000 }
    private static var longestOwnHold: Int { 10_000 }
    /// Linux has no threads of higher numbers (PID_MAX_LIMIT).
    private static var largestThread: UInt64 { 1 << 22 }

    /// Waits for the lock.
    func acquire() -> Acquisition { tryAcquire() ? .acquired : wait() }

    @inline(never)
    private func wait() -> Acquisition {
        let own = UInt64(truncatingIfNeeded: process_thread_id())
        var attempts = 0
        var (watched, since) = (UInt64(0), 0)
        while true {
            let (exchanged, holder) = word.pointee.compareExchange(
                expected: 0, desired: own, ordering: .sequentiallyConsistent)
            if exchanged { return .acquired }
            if holder == own { return .isOwn }
            attempts += 1
            if attempts < ThreadLock.patience {
                kernel_yield()
                continue
            }
            if holder != watched { (watched, since) = (holder, Clock.now) }
            if isHeld(by: holder, since: since) {
                _ = kernel_sleep(200_000)
            } else if word.pointee.compareExchange(
                expected: holder, desired: own, ordering: .sequentiallyConsistent
            ).exchanged {
                return .inherited
            }
        }
    }

    /// Whether a thread may have it still that was seen to have it at a time.
    private func isHeld(by holder: UInt64, since: Int) -> Bool {
        guard (1...ThreadLock.largestThread).contains(holder) else { return false }
        let thread = Int32(truncatingIfNeeded: holder)
        // In a child of fork nobody gives back what a thread of the parent has in the process' own memory.
        let isOfProcess = kernel_thread_exists_in(process_own_id(), thread) != 0
        if !isShared { return isOfProcess }
        guard isOfProcess || kernel_thread_exists(thread) != 0 else { return false }
        let limit = isOfProcess ? ThreadLock.longestOwnHold : ThreadLock.longestHold
        return Clock.now &- since < limit
    }

    /// Whether the calling thread has it.
    var isOwn: Bool {
        word.pointee.load(ordering: .relaxed) == UInt64(truncatingIfNeeded: process_thread_id())
    }

    /// Takes the lock if it is free.
    func tryAcquire() -> Bool {
        word.pointee.compareExchange(
            expected: 0, desired: UInt64(truncatingIfNeeded: process_thread_id()), ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// It is somebody else's already where the owner took too long.
    func release() {
        _ = word.pointee.compareExchange(
            expected: UInt64(truncatingIfNeeded: process_thread_id()), desired: 0, ordering: .sequentiallyConsistent)
    }
}

/// The word as what it is used as.
func atomic(_ word: UnsafeMutablePointer<UInt64>) -> UnsafeMutablePointer<Atomic<UInt64>> {
    UnsafeMutableRawPointer(word).assumingMemoryBound(to: Atomic<UInt64>.self)
}
