import CPreload
import StreamSecurity
import Synchronization

/// The streams of this process whose bytes are encapsulated, by the cookies of their sockets.
///
/// A table that is mapped at first need: entries are taken and given back without a lock; what an entry holds has locks
/// of its own, one for each direction.
struct EncapsulatedStreams {
    /// Where the table has its address, once there is one; and behind it that of the words of all entries that forks
    /// share.
    private let slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    static var ownSize: Int { 2 * MemoryLayout<UnsafeMutableRawPointer?>.size }
    private static var capacity: Int { 65_536 }
    private static var size: Int { capacity * MemoryLayout<Entry>.stride }
    private static var usesSize: Int { capacity * 16 }

    /// - Parameter own: `ownSize` zero bytes.
    init(own: UnsafeMutableRawPointer) {
        slot = own.assumingMemoryBound(to: UnsafeMutableRawPointer?.self)
    }

    /// A stream.
    struct Entry {
        /// The socket's cookie; 0: never used; 1: free again.
        var cookie: UInt64
        var layers: UnsafeMutablePointer<SecurityLayers>?
        /// Words of an `OwnerLock` each.
        var receiving, sending: UInt64
        /// SO_RCVLOWAT in the kernel, and of the program.
        var lowWater, programsLowWater: Int32
        /// The error that has ended the stream; 0: none.
        var failure: Int32
        /// The process that has made it.
        var process: Int32
        /// What this process last wrote to the words that it shares with its forks (see `Use`).
        var lastUses: InlineArray<2, UInt64>
    }

    /// The use of a stream in one direction, which two processes cannot share: each message has a number.
    ///
    /// A word that processes share with their forks is counted up by each use. A process that does not find it as it was
    /// when the process used it last, or was forked, is not the one that goes on with the stream.
    struct Use {
        let shared: UnsafeMutablePointer<Atomic<UInt64>>
        let last: UnsafeMutablePointer<UInt64>

        /// Whether this process may use the stream, which then belongs to it.
        func claim() -> Bool {
            let next = last.pointee &+ 1
            guard
                shared.pointee.compareExchange(
                    expected: last.pointee, desired: next, ordering: .acquiringAndReleasing
                ).exchanged
            else { return false }
            last.pointee = next
            return true
        }
    }

    /// - Parameter direction: 0: receiving, 1: sending.
    func use(_ entry: UnsafeMutablePointer<Entry>, _ direction: Int) -> Use? {
        guard let table, let uses = (slot + 1).pointee?.assumingMemoryBound(to: UInt64.self) else { return nil }
        let last = withUnsafeMutablePointer(to: &entry.pointee.lastUses) {
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self) + direction
        }
        return Use(shared: atomic(uses + (entry - table) * 2 + direction), last: last)
    }

    private static var free: UInt64 { 1 }

    private var table: UnsafeMutablePointer<Entry>? {
        slot.pointee?.assumingMemoryBound(to: Entry.self)
    }

    private static func cookie(_ entry: UnsafeMutablePointer<Entry>) -> UnsafeMutablePointer<Atomic<UInt64>> {
        UnsafeMutableRawPointer(entry).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The entries for a cookie, in the order of the search.
    private static func index(_ cookie: UInt64, _ turn: Int) -> Int {
        (Int(truncatingIfNeeded: cookie) &+ turn) & (capacity - 1)
    }

    /// The stream of a socket; nil if this process has none.
    func find(cookie: UInt64) -> UnsafeMutablePointer<Entry>? {
        guard let table, cookie > EncapsulatedStreams.free else { return nil }
        for turn in 0..<EncapsulatedStreams.capacity {
            let entry = table + EncapsulatedStreams.index(cookie, turn)
            let found = EncapsulatedStreams.cookie(entry).pointee.load(ordering: .acquiring)
            if found == cookie { return entry }
            if found == 0 { return nil }
        }
        return nil
    }

    /// Adds the stream of a socket. False when there is no room, or no memory.
    func add(_ layers: UnsafeMutablePointer<SecurityLayers>, cookie: UInt64) -> Bool {
        guard kernel_map_once(slot, EncapsulatedStreams.size) != nil,
            kernel_map_shared_once(slot + 1, EncapsulatedStreams.usesSize) != nil, let table
        else { return false }
        for turn in 0..<EncapsulatedStreams.capacity {
            let entry = table + EncapsulatedStreams.index(cookie, turn)
            let word = EncapsulatedStreams.cookie(entry)
            let found = word.pointee.load(ordering: .relaxed)
            guard found <= EncapsulatedStreams.free,
                word.pointee.compareExchange(
                    expected: found, desired: EncapsulatedStreams.taken, ordering: .acquiringAndReleasing
                ).exchanged
            else { continue }
            entry.pointee.layers = layers
            (entry.pointee.receiving, entry.pointee.sending) = (0, 0)
            (entry.pointee.lowWater, entry.pointee.programsLowWater) = (1, 1)
            (entry.pointee.failure, entry.pointee.process) = (0, process_own_id())
            for direction in 0..<2 {
                guard let use = use(entry, direction) else { break }
                use.last.pointee = use.shared.pointee.load(ordering: .relaxed)
            }
            word.pointee.store(cookie, ordering: .releasing)
            return true
        }
        return false
    }

    /// No cookie of a socket.
    private static var taken: UInt64 { .max }

    /// Ends the stream of a socket.
    func remove(cookie: UInt64) {
        guard let entry = find(cookie: cookie),
            EncapsulatedStreams.cookie(entry).pointee.compareExchange(
                expected: cookie, desired: EncapsulatedStreams.taken, ordering: .acquiringAndReleasing
            ).exchanged
        else { return }
        // A thread that uses it in the same moment: its descriptor is being closed.
        let locks = EncapsulatedStream.locks(of: entry)
        _ = locks.receiving.acquire()
        _ = locks.sending.acquire()
        if let layers = entry.pointee.layers { SecurityLayers.discard(layers) }
        entry.pointee.layers = nil
        locks.sending.release()
        locks.receiving.release()
        EncapsulatedStreams.cookie(entry).pointee.store(EncapsulatedStreams.free, ordering: .releasing)
    }
}
