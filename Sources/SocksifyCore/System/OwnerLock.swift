import CPreload
import Synchronization

/// A lock in a word that holds the ID of its owner's thread. A waiter takes it over if the owner no longer exists: it
/// was killed, the process forked, or a child of vfork ended.
///
/// In shared memory the ID may be damaged and belong to an unrelated thread: a waiter waits for it at most
/// `longestHold` or `longestOwnHold`, far longer than any owner needs for its few system calls.
struct OwnerLock {
    private let word: UnsafeMutablePointer<Atomic<UInt64>>
    private let isShared: Bool

    init(_ word: UnsafeMutablePointer<UInt64>, isShared: Bool = false) {
        self.word = atomic(word)
        self.isShared = isShared
    }

    /// How `acquire` ended.
    enum Acquisition {
        case acquired
        /// Taken over from a former owner: the protected data may be half changed.
        case inherited
        /// The calling thread already owns it.
        case isOwn
    }

    /// The number of attempts that only yield: owners usually hold it for a few system calls.
    private static var patience: Int { 50 }

    /// Milliseconds for which a thread of another process, or of this one, may hold a shared lock.
    private static var longestHold: Int { 1000 }
    private static var longestOwnHold: Int { 10_000 }
    /// The largest thread ID of Linux (PID_MAX_LIMIT).
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
            if attempts < OwnerLock.patience {
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

    /// Whether the thread that was the owner at time `since` may still hold it.
    private func isHeld(by holder: UInt64, since: Int) -> Bool {
        guard (1...OwnerLock.largestThread).contains(holder) else { return false }
        let thread = Int32(truncatingIfNeeded: holder)
        // In a child of fork no thread will release a private lock of a thread of the parent.
        let isOfProcess = kernel_thread_exists_in(process_own_id(), thread) != 0
        if !isShared { return isOfProcess }
        guard isOfProcess || kernel_thread_exists(thread) != 0 else { return false }
        let limit = isOfProcess ? OwnerLock.longestOwnHold : OwnerLock.longestHold
        return Clock.now &- since < limit
    }

    /// Whether the calling thread owns it.
    var isOwn: Bool {
        word.pointee.load(ordering: .relaxed) == UInt64(truncatingIfNeeded: process_thread_id())
    }

    /// Takes the lock if it is free.
    func tryAcquire() -> Bool {
        word.pointee.compareExchange(
            expected: 0, desired: UInt64(truncatingIfNeeded: process_thread_id()), ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Releases the lock, unless another thread has taken it over because the owner took too long.
    func release() {
        _ = word.pointee.compareExchange(
            expected: UInt64(truncatingIfNeeded: process_thread_id()), desired: 0, ordering: .sequentiallyConsistent)
    }
}

/// The word as an atomic.
func atomic(_ word: UnsafeMutablePointer<UInt64>) -> UnsafeMutablePointer<Atomic<UInt64>> {
    UnsafeMutableRawPointer(word).assumingMemoryBound(to: Atomic<UInt64>.self)
}
