import Synchronization

/// Remembers for a while that a proxy refused UDP ASSOCIATE: so programs that prefer datagrams learn at once that there
/// are none.
struct AssociationRefusal {
    /// Milliseconds of `Clock`; 0: there was none.
    private let word: UnsafeMutablePointer<Atomic<Int>>

    /// The bytes of private memory.
    static var ownSize: Int { MemoryLayout<Atomic<Int>>.size }

    /// - Parameter own: `ownSize` bytes, zero-filled, private.
    init(own: UnsafeMutableRawPointer) {
        word = own.assumingMemoryBound(to: Atomic<Int>.self)
    }

    private static var duration: Int { 10_000 }

    var isFresh: Bool {
        let last = word.pointee.load(ordering: .relaxed)
        return last != 0 && Clock.now - last < AssociationRefusal.duration
    }

    func note() { word.pointee.store(Clock.now, ordering: .relaxed) }
}
