import Synchronization
import TableMemory

/// A few words for each of many keys, none of which is 0.
///
/// The key may be a socket's cookie (socket(7), SO_COOKIE), which is unique and never reused. Then duplicated and
/// closed descriptors, fork, exec and passing a socket on need no bookkeeping, and a record left by a closed socket
/// only takes space.
///
/// The table lies in memory of the caller and contains no pointers. Any number of threads and processes use it
/// concurrently without locks. A writer claims a record by its age, which becomes the youngest of the bucket; a reader
/// uses a record only if its check matches. So a process that ends during a write leaves an invalid record, which is
/// replaced in turn: if a bucket is full, the oldest record makes room.
struct RecordTable<Memory: TableMemory & Sendable, let wordCount: Int>: Sendable {
    /// Count of the records; a power of two, a multiple of `ways`.
    let capacity: Int
    private let memory: Memory

    /// Records of a bucket.
    private static var ways: Int { 8 }
    /// The words after the age, the key and the check; records fill whole cache lines.
    private static var recordSize: Int { ((3 + wordCount) * 8 + 63) / 64 * 64 }
    private static var bucketSize: Int { ways * recordSize }

    static func size(capacity: Int) -> Int {
        roundedUp(capacity) * recordSize
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 8.
    init(memory: Memory, capacity: Int) {
        self.memory = memory
        self.capacity = RecordTable.roundedUp(capacity)
    }

    /// Stores the words of the key, replacing former ones. False without memory.
    @discardableResult @inline(never)
    func insert(_ words: InlineArray<wordCount, UInt64>, key: UInt64) -> Bool {
        guard let bucket = bucket(of: key) else { return false }
        for _ in 0..<RecordTable.claimAttempts {
            guard let claim = claim(in: bucket, for: key) else { continue }
            claim.record.key.pointee.store(key, ordering: .relaxed)
            for index in 0..<wordCount { claim.record.word(index).pointee.store(words[index], ordering: .relaxed) }
            let check = RecordTable.check(key: key, age: claim.age, words)
            claim.record.check.pointee.store(check, ordering: .releasing)
            return true
        }
        return false
    }

    /// More than the number of keys of a bucket that are written at a time.
    private static var claimAttempts: Int { 64 }

    /// The words of the key; nil if there are none.
    @inline(never)
    func words(key: UInt64) -> InlineArray<wordCount, UInt64>? {
        guard key != 0, let bucket = bucket(of: key) else { return nil }
        var found: InlineArray<wordCount, UInt64>?
        var youngest: UInt64 = 0
        for way in 0..<RecordTable.ways {
            let record = RecordTable.record(bucket, way)
            let check = record.check.pointee.load(ordering: .acquiring)
            let age = record.age.pointee.load(ordering: .relaxed)
            guard record.key.pointee.load(ordering: .relaxed) == key, age >= youngest else { continue }
            var words = InlineArray<wordCount, UInt64>(repeating: 0)
            for index in 0..<wordCount { words[index] = record.word(index).pointee.load(ordering: .relaxed) }
            guard check == RecordTable.check(key: key, age: age, words) else { continue }
            (found, youngest) = (words, age)
        }
        return found
    }

    /// Whether the key has a record with a wrong check: it is being written, or its writer ended during the write.
    func isBeingWritten(key: UInt64) -> Bool {
        guard key != 0, let bucket = bucket(of: key) else { return false }
        for way in 0..<RecordTable.ways
        where RecordTable.record(bucket, way).key.pointee.load(ordering: .relaxed) == key { return true }
        return false
    }

    /// Forgets the key.
    func remove(key: UInt64) {
        guard let bucket = bucket(of: key) else { return }
        for way in 0..<RecordTable.ways {
            let record = RecordTable.record(bucket, way)
            let age = record.age.pointee.load(ordering: .relaxed)
            guard record.key.pointee.compareExchange(expected: key, desired: 0, ordering: .relaxed).exchanged
            else { continue }
            _ = record.age.pointee.compareExchange(expected: age, desired: 0, ordering: .relaxed)
        }
    }

    /// Takes the key's own record, else a free one, else the oldest of the bucket; nil if another thread was faster.
    private func claim(in bucket: UnsafeMutableRawPointer, for key: UInt64) -> (record: Record, age: UInt64)? {
        var chosen = RecordTable.record(bucket, 0)
        var (chosenAge, chosenRank, youngest) = (UInt64(0), UInt64.max, UInt64(0))
        for way in 0..<RecordTable.ways {
            let record = RecordTable.record(bucket, way)
            let age = record.age.pointee.load(ordering: .relaxed)
            youngest = max(youngest, age)
            let holder = record.key.pointee.load(ordering: .relaxed)
            let rank = holder == key ? 0 : age &+ 1
            if rank < chosenRank { (chosen, chosenAge, chosenRank) = (record, age, rank) }
        }
        let age = youngest &+ 1
        let claim = chosen.age.pointee.compareExchange(expected: chosenAge, desired: age, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        return claim.exchanged ? (chosen, age) : nil
    }

    /// The check of a record.
    private static func check(key: UInt64, age: UInt64, _ words: InlineArray<wordCount, UInt64>) -> UInt64 {
        var check = mixed(key, into: 0x243f_6a88_85a3_08d3)
        check = mixed(age, into: check)
        for index in 0..<wordCount { check = mixed(words[index], into: check) }
        return check
    }

    // MARK: Slots

    private struct Record {
        let base: UnsafeMutableRawPointer

        /// Higher numbers are younger; 0 means free.
        var age: UnsafeMutablePointer<Atomic<UInt64>> { field(0) }
        /// 0 if the record is free.
        var key: UnsafeMutablePointer<Atomic<UInt64>> { field(1) }
        var check: UnsafeMutablePointer<Atomic<UInt64>> { field(2) }
        func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> { field(3 + index) }

        private func field(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            (base + index * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        }
    }

    /// The bucket of a key; nil without memory. Cookies count up: consecutive sockets share a bucket, and consecutive
    /// buckets a page.
    private func bucket(of key: UInt64) -> UnsafeMutableRawPointer? {
        let number = Int(truncatingIfNeeded: key / UInt64(RecordTable.ways)) & (capacity / RecordTable.ways - 1)
        return memory.reach(offset: number * RecordTable.bucketSize, size: RecordTable.bucketSize)
    }

    private static func record(_ bucket: UnsafeMutableRawPointer, _ way: Int) -> Record {
        Record(base: bucket + way * recordSize)
    }

    private static func roundedUp(_ capacity: Int) -> Int {
        var rounded = ways
        while rounded < capacity, rounded < 1 << 24 { rounded <<= 1 }
        return rounded
    }
}
