import Synchronization
import TableMemory

/// Words in shared memory, found by keys other than 0. A word is 0 at first. Words are never removed.
struct KeyedWords: @unchecked Sendable {
    private let memory: SharedMemory
    private let capacity: Int

    private static var entrySize: Int { 16 }

    static func size(capacity: Int) -> Int { capacity * entrySize }

    /// - Parameter memory: `size(capacity:)` bytes, zero-filled before the first use.
    init(memory: SharedMemory, capacity: Int) {
        self.memory = memory
        self.capacity = capacity
    }

    /// The maximum number of entries to search for a key.
    private static var longestSearch: Int { 32 }

    /// The word of a key; nil if it does not exist, or there is no room.
    ///
    /// - Parameter isMade: whether to make it.
    func word(of key: UInt64, isMade: Bool) -> UnsafeMutablePointer<Atomic<UInt64>>? {
        let start = Int(truncatingIfNeeded: key % UInt64(capacity))
        for step in 0..<KeyedWords.longestSearch {
            let offset = (start + step) % capacity * KeyedWords.entrySize
            guard let entry = memory.reach(offset: offset, size: KeyedWords.entrySize) else { return nil }
            let owner = atomic(entry.assumingMemoryBound(to: UInt64.self))
            var found = owner.pointee.load(ordering: .acquiring)
            if found == 0 {
                guard isMade else { return nil }
                let (exchanged, first) = owner.pointee.compareExchange(
                    expected: 0, desired: key, ordering: .acquiringAndReleasing)
                found = exchanged ? key : first
            }
            if found == key { return atomic((entry + 8).assumingMemoryBound(to: UInt64.self)) }
        }
        return nil
    }
}
