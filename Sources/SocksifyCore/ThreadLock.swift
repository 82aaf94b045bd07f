import CLibC
import Synchronization

/// A lock in a word that holds the number of the thread that has it: a thread that is gone, because it was killed, the
/// process forked, or a child of vfork ended, is seen not to hold it any more. The word may be shared by processes.
struct ThreadLock {
    private let word: UnsafeMutablePointer<Atomic<UInt64>>
    private let isOfProcess: Bool

    init(_ word: UnsafeMutablePointer<UInt64>) {
        self.word = atomic(word)
        isOfProcess = false
    }

    /// A word of the process' own memory: in a child of fork nobody gives back what a thread of the parent has.
    init(ofProcess word: UnsafeMutablePointer<UInt64>) {
        self.word = atomic(word)
        isOfProcess = true
    }

    private func exists(_ thread: UInt64) -> Bool {
        let thread = Int32(truncatingIfNeeded: thread)
        return (isOfProcess ? kernel_thread_exists_in(process_own_id(), thread) : kernel_thread_exists(thread)) != 0
    }

    /// How `acquire` ended.
    enum Acquisition {
        case acquired
        /// Its owner is gone: what it protects may be half changed.
        case inherited
        /// The calling thread has it already.
        case isOwn
    }

    /// Attempts that only yield: owners mostly have it for a few system calls.
    private static var patience: Int { 50 }

    /// Waits for the lock.
    func acquire() -> Acquisition {
        let own = UInt64(truncatingIfNeeded: process_thread_id())
        var attempts = 0
        while true {
            let (exchanged, holder) = word.pointee.compareExchange(
                expected: 0, desired: own, ordering: .sequentiallyConsistent)
            if exchanged { return .acquired }
            if holder == own { return .isOwn }
            attempts += 1
            if attempts < ThreadLock.patience {
                kernel_yield()
            } else if exists(holder) {
                _ = kernel_sleep(200_000)
            } else if word.pointee.compareExchange(
                expected: holder, desired: own, ordering: .sequentiallyConsistent
            ).exchanged {
                return .inherited
            }
        }
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

    func release() {
        word.pointee.store(0, ordering: .sequentiallyConsistent)
    }
}

/// The word as what it is used as.
func atomic(_ word: UnsafeMutablePointer<UInt64>) -> UnsafeMutablePointer<Atomic<UInt64>> {
    UnsafeMutableRawPointer(word).assumingMemoryBound(to: Atomic<UInt64>.self)
}
