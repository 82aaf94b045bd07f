import CLibC
import Synchronization

/// Handshakes that a call had to leave unfinished: it was interrupted by a signal, or its time was over. The next
/// call on the socket goes on with them.
///
/// A place belongs to the socket's cookie. Whoever takes a handshake out owns it alone; only whole handshakes lie
/// here, so a thread or process that ends in between leaves no lock behind. When all places are taken, the one that was
/// parked first is given up: its socket was most likely closed, which nobody tells.
struct ParkedHandshakes: @unchecked Sendable {
    private let memory: UnsafeMutableRawPointer

    private static var capacity: Int { 1024 }
    private static var headerSize: Int { 16 }
    private static var placeSize: Int { (headerSize + MemoryLayout<Handshake>.stride + 63) / 64 * 64 }
    /// The mark of a place that is being written. No socket has this cookie.
    private static var beingWritten: UInt64 { .max }

    static var size: Int { capacity * placeSize }

    /// - Parameter memory: `size` bytes, zero-filled.
    init(memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    private var count: UnsafeMutablePointer<Atomic<UInt64>> { atomic(socksify_parked_count_word()) }

    /// Whether there may be any: what most calls need to know, for the price of one load.
    var isEmpty: Bool { count.pointee.load(ordering: .relaxed) == 0 }

    /// Puts a handshake aside. False when every place is being written.
    func park(_ handshake: Handshake, cookie: UInt64) -> Bool {
        var oldest = 0
        for index in 0..<ParkedHandshakes.capacity {
            if put(handshake, cookie: cookie, at: index, insteadOf: 0) {
                count.pointee.wrappingAdd(1, ordering: .relaxed)
                return true
            }
            if place(index).pointee.started < place(oldest).pointee.started { oldest = index }
        }
        let holder = owner(oldest).pointee.load(ordering: .relaxed)
        return holder != ParkedHandshakes.beingWritten
            && put(handshake, cookie: cookie, at: oldest, insteadOf: holder)
    }

    private func put(_ handshake: Handshake, cookie: UInt64, at index: Int, insteadOf holder: UInt64) -> Bool {
        let owner = owner(index)
        guard
            owner.pointee.compareExchange(
                expected: holder, desired: ParkedHandshakes.beingWritten, ordering: .acquiring
            ).exchanged
        else { return false }
        place(index).initialize(to: handshake)
        owner.pointee.store(cookie, ordering: .releasing)
        return true
    }

    /// Takes the socket's handshake out; nil when none is parked.
    func take(cookie: UInt64) -> Handshake? {
        for index in 0..<ParkedHandshakes.capacity {
            let owner = owner(index)
            guard
                owner.pointee.compareExchange(
                    expected: cookie, desired: ParkedHandshakes.beingWritten, ordering: .acquiring
                ).exchanged
            else { continue }
            let handshake = place(index).pointee
            owner.pointee.store(0, ordering: .releasing)
            count.pointee.wrappingSubtract(1, ordering: .relaxed)
            return handshake
        }
        return nil
    }

    /// Whether the socket's handshake is parked.
    func contains(cookie: UInt64) -> Bool {
        for index in 0..<ParkedHandshakes.capacity where owner(index).pointee.load(ordering: .relaxed) == cookie {
            return true
        }
        return false
    }

    private func owner(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (memory + index * ParkedHandshakes.placeSize).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    private func place(_ index: Int) -> UnsafeMutablePointer<Handshake> {
        (memory + index * ParkedHandshakes.placeSize + ParkedHandshakes.headerSize)
            .assumingMemoryBound(to: Handshake.self)
    }
}
