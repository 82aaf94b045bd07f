import CPreload
import Synchronization

/// Which epolls have to be asked for their registrations.
///
/// Registrations are seen when they are made, but not one that is made without libc, or that came with an epoll over
/// exec. If no call is known to wait for a pending connection, an epoll that the program waits on is asked once for
/// each such connection; an epoll without known registrations, once for every connection.
struct EpollAudits: @unchecked Sendable {
    /// For each epoll, by the low bits of its number: the number, and the count of connections at the last audit.
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

    /// The number of connections for which no call is known to wait, and of those ever.
    private var unwatched: UnsafeMutablePointer<Atomic<UInt64>> {
        shared.assumingMemoryBound(to: Atomic<UInt64>.self)
    }
    private var everUnwatched: UnsafeMutablePointer<Atomic<UInt64>> {
        (shared + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// No call is known to wait for the connection.
    func note(_ record: UnsafeMutablePointer<PendingConnection>) {
        guard !record.pointee.isUnwatched else { return }
        record.pointee.isUnwatched = true
        unwatched.pointee.wrappingAdd(1, ordering: .relaxed)
        everUnwatched.pointee.wrappingAdd(1, ordering: .relaxed)
    }

    /// A call is known to wait for it, or it has ended.
    func forget(_ record: UnsafeMutablePointer<PendingConnection>) {
        guard record.pointee.isUnwatched else { return }
        record.pointee.isUnwatched = false
        unwatched.pointee.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Whether the epoll is to be asked now. True once.
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
