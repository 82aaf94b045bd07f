import CPreload
import Synchronization

/// Which epolls have to be asked what they watch.
///
/// Registrations are seen when they are made. Some are not: one that is made without libc, or that came with an epoll
/// from another program over exec. When a handshake is pending that nobody is seen to wait for, an epoll that the
/// program waits on is asked, once for each such handshake; one that nothing was seen to be registered with, once for
/// every handshake.
struct EpollAudits: @unchecked Sendable {
    /// For each epoll, by the low bits of its number: the number, and the count of handshakes at the last audit.
    private let memory: UnsafeMutableRawPointer
    private let shared: UnsafeMutableRawPointer

    private static var count: Int { 1024 }
    static var size: Int { count * 8 }

    /// - Parameters:
    ///   - shared: two words, zero at first, common to forked processes.
    ///   - memory: `size` bytes, zero-filled, private.
    init(shared: UnsafeMutableRawPointer, memory: UnsafeMutableRawPointer) {
        self.shared = shared
        self.memory = memory
    }

    /// How many handshakes nobody is seen to wait for now, and how many there ever were.
    private var unwatched: UnsafeMutablePointer<Atomic<UInt64>> {
        shared.assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    private var everUnwatched: UnsafeMutablePointer<Atomic<UInt64>> {
        (shared + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The handshake is one that nobody is seen to wait for.
    func note(_ record: UnsafeMutablePointer<PendingConnection>) {
        guard !record.pointee.isUnwatched else { return }
        record.pointee.isUnwatched = true
        unwatched.pointee.wrappingAdd(1, ordering: .relaxed)
        everUnwatched.pointee.wrappingAdd(1, ordering: .relaxed)
    }

    /// It is no such handshake any more.
    func forget(_ record: UnsafeMutablePointer<PendingConnection>) {
        guard record.pointee.isUnwatched else { return }
        record.pointee.isUnwatched = false
        unwatched.pointee.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Whether the epoll is to be asked now. Says so once.
    func isDue(_ epoll: Int32) -> Bool {
        let begun: UInt64
        if descriptor_mark(epoll) & UInt32(DESCRIPTOR_USED_EPOLL) == 0 {
            begun = pending_word() >> 32
        } else if unwatched.pointee.load(ordering: .relaxed) != 0 {
            begun = everUnwatched.pointee.load(ordering: .relaxed)
        } else {
            return false
        }
        let mark = UInt64(UInt32(bitPattern: epoll)) << 32 | begun & 0xffff_ffff
        let word = (memory + (Int(epoll) & (EpollAudits.count - 1)) * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        return word.pointee.exchange(mark, ordering: .relaxed) != mark
    }
}
