import Synchronization

/// A proxy's refusal to carry datagrams, which is remembered for a while: programs that would rather have datagrams learn
/// at once that they have to do without.
struct AssociationRefusal {
    /// Milliseconds of `Clock`; 0: there was none.
    private let word: UnsafeMutablePointer<Atomic<Int>>

    /// Private memory that it needs, in bytes.
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
