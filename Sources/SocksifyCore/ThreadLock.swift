import CLibC
import Synchronization

/// A lock in a word that holds the number of the thread that has it: a thread that is gone, because the process
/// forked or a child of vfork ended, is seen not to hold it any more.
struct ThreadLock {
    private let word: UnsafeMutablePointer<Atomic<UInt64>>

    init(_ word: UnsafeMutablePointer<UInt64>) {
        self.word = atomic(word)
    }

    /// Waits for the lock. False when the calling thread has it already.
    func acquire() -> Bool {
        let own = UInt64(truncatingIfNeeded: kernel_thread_id())
        while true {
            let (exchanged, holder) = word.pointee.compareExchange(expected: 0, desired: own, ordering: .acquiring)
            if exchanged { return true }
            if holder == own { return false }
            if kernel_thread_exists(Int32(truncatingIfNeeded: holder)) == 0 {
                if word.pointee.compareExchange(expected: holder, desired: own, ordering: .acquiring).exchanged {
                    return true
                }
            } else {
                kernel_sleep(200_000)
            }
        }
    }

    func release() {
        word.pointee.store(0, ordering: .releasing)
    }
}

/// The word as what it is used as.
func atomic(_ word: UnsafeMutablePointer<UInt64>) -> UnsafeMutablePointer<Atomic<UInt64>> {
    UnsafeMutableRawPointer(word).assumingMemoryBound(to: Atomic<UInt64>.self)
}
