// Pending connections: theory of operation
//
// A connection is pending from connect(2) until the last proxy of its chain has answered. A failed one stays in the
// table until the program has learned the error. Internal connections (control connections of associations, DNS
// transactions) are pending connections as well; `ConnectionRole` says whom they serve.
//
// Slots. Each has a record (`PendingConnection`), found by the cookie of its socket, whatever descriptors stand for the
// socket. The slots lie in memory that forked processes share, as they share the sockets. A process works on a private
// copy of the record. The shared words tell others of changes: a process reads them if another one has written them
// last, checks them, and takes a connection for broken whose words are not valid.
//
// Steps. `PendingHandle` is an entered slot: the caller holds its lock. Any thread of any process with the socket may
// enter and step it; only the process that made an internal connection steps that. A step goes as far as the socket
// allows and never waits, and the lock is held for one step. A thread that finds the lock taken sets `asked`; the
// holder steps once more when it leaves, so no event is lost. If the owner of a lock has ended in the middle of a step,
// nobody knows how many bytes were sent: the next one takes the lock over and fails the connection. For the order of
// locks see ARCHITECTURE.md, "Locks and their order".
//
// Who drives a connection:
// - `BlockingDriver`, for a connect(2) that waits, and for any call that needs an established socket;
// - calls on the socket itself, and its events in poll(2) and select(2);
// - epoll(7): the kernel has a registration of the library's own whose data are a marker (`EventMarker`) in place of the
//   program's; each event with a marker steps one connection, and is not shown to the program;
// - `Unattended`: every other call that waits, on whatever, steps the connections that no call attends to;
// - deadlines: calls that wait look for those that are over, and fail them.
//
// Who watches which socket is known in four places: WatchedDescriptors.c (what the program registered before the socket
// became pending), the record (while it is pending), `EpollInventory` (what the kernel says), and `EpollAudits` (epolls
// that may have registrations which nobody has seen).
//
// The end. An established connection leaves its peer in the shared table, gets its options and registrations back, and
// its slot is free. After a failure `PendingFailover` tries another address or chain on the same socket; if there is
// none, the error is told once. An internal connection tells its owner (`InternalConnectionOwners`) before its slot is
// free, so that nobody takes it for abandoned in between.

import CPreload
import SharedTables
import StreamSecurity
import Synchronization
import TableMemory
import Tunnel

/// The pending connections of a process and its forks, and the failed ones whose error the program has not learned yet.
///
/// Internal connections are not written to the shared words: other processes know only that the slot is in use.
struct PendingTable: @unchecked Sendable {
    let slots: SlotTable<ReadyMemory>
    let deadlines: Deadlines
    let marker: EventMarker
    let audits: EpollAudits
    /// The number of records; then two words of `audits`.
    private let header: UnsafeMutableRawPointer
    private let records: SharedMemory
    private let copies: PrivateRooms

    private static var capacity: Int { 16_384 }
    /// The lock, whether another step was asked for, the count of writes, and the process of an internal connection.
    private static var lockSize: Int { 64 }
    private static var recordSize: Int { (lockSize + PendingConnection.wordCount * 8 + 63) / 64 * 64 }
    private static var headerSize: Int { 64 }
    private static var slotsSize: Int { (SlotTable<ReadyMemory>.size(capacity: capacity) + 63) / 64 * 64 }
    private static var deadlinesSize: Int { (Deadlines.size(capacity: capacity) + 63) / 64 * 64 }

    /// What finding a record needs: 900 KiB.
    private static var tableSize: Int { headerSize + slotsSize + deadlinesSize }
    /// Some 50 MiB; only used pages take memory.
    private static var recordsSize: Int { (capacity * recordSize + 0xffff) & ~0xffff }
    /// Private memory for the records, in bytes.
    static var notesSize: Int { SharedMemory.notesSize(for: recordsSize) }

    /// Private memory for finding the copies, in bytes.
    static var copiesSize: Int { PrivateRooms.size(capacity: capacity) }

    /// nil without memory.
    ///
    /// - Parameters:
    ///   - notes: `notesSize` bytes, zero-filled, private.
    ///   - audits: `EpollAudits.size` bytes, zero-filled, private.
    ///   - copies: `copiesSize` bytes, zero-filled, private.
    init?(notes: UnsafeMutableRawPointer, audits: UnsafeMutableRawPointer, copies: UnsafeMutableRawPointer) {
        let mapped = kernel_map_shared(PendingTable.tableSize)
        guard mapped >= 0, let memory = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        guard let parts = SharedMemory.privateParts([PendingTable.recordsSize], notes: notes) else {
            kernel_unmap(memory, PendingTable.tableSize)
            return nil
        }
        header = memory
        records = parts[0]
        self.copies = PrivateRooms(copies, roomSize: Entered.copySize)
        let slots = memory + PendingTable.headerSize
        let deadlines = slots + PendingTable.slotsSize
        self.slots = SlotTable(memory: ReadyMemory(base: slots), capacity: PendingTable.capacity)
        self.deadlines = Deadlines(memory: deadlines)
        var random = UInt64(truncatingIfNeeded: Clock.now) &* 0x9e37_79b9_7f4a_7c15
        _ = kernel_random(&random, 8)
        marker = EventMarker(random: random)
        self.audits = EpollAudits(shared: memory + 8, memory: audits)
    }

    // MARK: Copies of all

    /// Adds the whole table to a copy; false if there is no room.
    func add(to copy: inout SharedCopy) -> Bool {
        let size = PendingTable.tableSize
        return copy.add(header, mappedSize: size, wholeSize: size) && records.add(to: &copy)
    }

    /// Continues with the copy. This process gives up the connections that another process may continue.
    func leave(for copy: inout SharedCopy) {
        let size = PendingTable.tableSize
        _ = kernel_map_file_over(header, copy.descriptor, copy.next(size: size), size)
        records.leave(for: &copy)
        for slot in 0..<slots.end where slots.cookie(of: slot) != 0 {
            guard let shared = reach(slot) else { continue }
            guard let known = known(slot, shared) else {
                // Its words are not valid any more.
                shared.turn.pointee.wrappingAdd(1, ordering: .relaxed)
                continue
            }
            if known.record.pointee.mayBeShared { known.record.pointee.isBroken = true }
            shared.turn.pointee.store(known.turn.pointee, ordering: .relaxed)
        }
    }

    /// Gives back the memory of an unused table.
    func unmap() {
        records.unmap()
        kernel_unmap(header, PendingTable.tableSize)
    }

    /// True if no socket of this process is pending. Most calls need to know no more.
    static var isEmpty: Bool { pending_any(pending_word()) == 0 }

    private var count: UnsafeMutablePointer<Atomic<UInt64>> { header.assumingMemoryBound(to: Atomic<UInt64>.self) }

    /// Resets the process' own count if the table is empty: another process may have ended a connection of this one.
    func correctCount() {
        let seen = pending_word()
        if count.pointee.load(ordering: .sequentiallyConsistent) == 0 { pending_none(seen) }
    }

    // MARK: Locks

    /// The result of `enter`.
    enum Entry {
        /// The socket has no pending connection.
        case none
        /// A signal has interrupted the calling thread while it had this very slot; or there is no memory for the
        /// record of another process.
        case busy
        /// The record; no other thread touches it before `leave`.
        case record(Entered)
        /// Another socket has the slot by now. It is entered: leave it as usual, because another thread may have asked
        /// for a step meanwhile.
        case another(Entered)
    }

    /// What processes share of a slot.
    struct SharedWords {
        let base: UnsafeMutableRawPointer

        var lock: OwnerLock { OwnerLock(base.assumingMemoryBound(to: UInt64.self), isShared: true) }
        /// Whether another step was asked for.
        var asked: UnsafeMutablePointer<Atomic<UInt64>> { word(1) }
        /// The count of writes of the record.
        var turn: UnsafeMutablePointer<Atomic<UInt64>> { word(2) }
        /// The process of this internal connection; 0 for a connection of the program's.
        var internalProcess: UnsafeMutablePointer<Atomic<UInt64>> { word(3) }

        /// The words of the record.
        ///
        /// - Parameter check: the initial value of the check.
        func record(check: UInt64) -> WordCursor {
            WordCursor(base + PendingTable.lockSize, count: PendingConnection.wordCount, check: check)
        }

        private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
            (base + index * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        }
    }

    /// An entered record: the process' copy of it.
    struct Entered {
        let slot: Int
        let shared: SharedWords
        let copy: UnsafeMutableRawPointer

        private static var recordOffset: Int { 16 }
        private static var buffersOffset: Int { recordOffset + MemoryLayout<PendingConnection>.stride }
        static var copySize: Int { (buffersOffset + HandshakeBuffers.size + 63) / 64 * 64 }

        /// The cookie that the slot was published with; 0 if the copy is unused.
        var cookie: UnsafeMutablePointer<UInt64> { copy.assumingMemoryBound(to: UInt64.self) }
        /// The count of writes when the record was last read or written here.
        var turn: UnsafeMutablePointer<UInt64> { (copy + 8).assumingMemoryBound(to: UInt64.self) }

        var record: UnsafeMutablePointer<PendingConnection> {
            (copy + Entered.recordOffset).assumingMemoryBound(to: PendingConnection.self)
        }

        /// The messages of its handshake.
        var buffers: HandshakeBuffers { HandshakeBuffers(memory: copy + Entered.buffersOffset) }
    }

    /// Enters the connection of the socket with this cookie. Waits while another thread has it: for a few system calls,
    /// never longer.
    func enter(cookie: UInt64, _ connections: UnsafePointer<Connections>) -> Entry {
        guard let slot = slots.find(cookie: cookie) else { return .none }
        guard let shared = reach(slot) else { return .busy }
        if let known = known(slot, shared), known.record.pointee.isInternalOfAnother { return .none }
        var isHalfChanged = false
        switch shared.lock.acquire() {
        case .isOwn: return .busy
        case .acquired: break
        case .inherited: isHalfChanged = true
        }
        let published = slots.cookie(of: slot)
        guard published != 0, let entered = read(slot, shared, published, connections) else {
            shared.lock.release()
            return published == 0 ? .none : .busy
        }
        // Its owner ended in the middle of a step: nobody knows how many bytes were sent and received.
        if isHalfChanged { entered.record.pointee.isBroken = true }
        guard slots.isFound(slot, by: cookie) else { return .another(entered) }
        // Whatever substitute socket was about to take its descriptors.
        if entered.record.pointee.isBroken { entered.record.pointee.cookie = cookie }
        return .record(entered)
    }

    /// Enters the connection in this slot. nil if the slot is empty, holds an internal connection of another process, or
    /// is locked; in the last case the holder steps the connection once more when it leaves.
    func tryEnter(slot: Int, _ connections: UnsafePointer<Connections>) -> Entered? {
        // Do not ask for a step of another process' internal connection: that process may ask for one meanwhile.
        guard slot < slots.end, let shared = reach(slot), !isInternalOfAnother(slot, shared) else { return nil }
        if !shared.lock.tryAcquire() {
            shared.asked.pointee.store(1, ordering: .sequentiallyConsistent)
            guard shared.lock.tryAcquire() else { return nil }
        }
        let cookie = slots.cookie(of: slot)
        // Set by a thread that still took the slot for used.
        if cookie == 0 { deadlines.set(nil, for: slot) }
        guard cookie != 0, !isInternalOfAnother(slot, shared), let entered = read(slot, shared, cookie, connections)
        else {
            shared.lock.release()
            return nil
        }
        return entered
    }

    /// Whether another step was asked for since the last call.
    func takeAsked(_ entered: Entered) -> Bool {
        entered.shared.asked.pointee.exchange(0, ordering: .sequentiallyConsistent) != 0
    }

    /// Leaves the slot. If true, somebody has asked for another look meanwhile: the caller must step it once more.
    func leave(_ entered: Entered) -> Bool {
        let lock = entered.shared.lock
        // After the lock was taken over, others have continued from the old words.
        if lock.isOwn { tell(entered) }
        lock.release()
        return entered.shared.asked.pointee.load(ordering: .sequentiallyConsistent) != 0
    }

    // MARK: Memory

    /// The words of a slot, accessible from now on; nil without memory.
    private func reach(_ slot: Int) -> SharedWords? {
        let offset = slot * PendingTable.recordSize
        return records.reach(offset: offset, size: PendingTable.recordSize).map { SharedWords(base: $0) }
    }

    // MARK: Copies

    /// The copy of a slot's record; nil if there is none of this socket.
    private func known(_ slot: Int, _ shared: SharedWords) -> Entered? {
        guard let copy = copies.room(of: slot) else { return nil }
        let entered = Entered(slot: slot, shared: shared, copy: copy)
        guard entered.cookie.pointee != 0, entered.cookie.pointee == slots.cookie(of: slot) else { return nil }
        return entered
    }

    /// Room for the copy, made if necessary; nil without memory.
    private func makeCopy(of slot: Int, _ shared: SharedWords) -> Entered? {
        copies.makeRoom(of: slot).map { Entered(slot: slot, shared: shared, copy: $0) }
    }

    /// The copy of a record whose lock the calling thread has, read if necessary; nil without memory.
    ///
    /// - Parameter cookie: the slot's.
    private func read(
        _ slot: Int, _ shared: SharedWords, _ cookie: UInt64, _ connections: UnsafePointer<Connections>
    ) -> Entered? {
        guard let entered = makeCopy(of: slot, shared) else { return nil }
        let turn = shared.turn.pointee.load(ordering: .acquiring)
        if entered.cookie.pointee != cookie {
            entered.record.initialize(to: PendingConnection.lost(cookie: cookie))
            entered.cookie.pointee = cookie
        } else if entered.turn.pointee == turn || entered.record.pointee.role.isInternal {
            return entered
        }
        var words = shared.record(check: mixed(cookie, into: turn))
        if !entered.record.pointee.read(from: &words, entered.buffers, connections.pointee.names.proxies) {
            entered.record.pointee.isBroken = true
        }
        entered.turn.pointee = turn
        return entered
    }

    /// Writes the record for other processes.
    private func tell(_ entered: Entered) {
        if entered.record.pointee.role.isInternal { return }
        let next = entered.shared.turn.pointee.load(ordering: .relaxed) &+ 1
        var words = entered.shared.record(check: mixed(entered.cookie.pointee, into: next))
        entered.record.pointee.write(to: &words, entered.buffers)
        entered.shared.turn.pointee.store(next, ordering: .releasing)
        entered.turn.pointee = next
    }

    /// Whether another process made this internal connection: only that one steps it.
    private func isInternalOfAnother(_ slot: Int, _ shared: SharedWords) -> Bool {
        if let known = known(slot, shared) { return known.record.pointee.isInternalOfAnother }
        let process = shared.internalProcess.pointee.load(ordering: .relaxed)
        return process != 0 && process != UInt64(UInt32(bitPattern: process_own_id()))
    }

    /// The calls of this process that advance the connection in this slot, as of a moment ago.
    @inline(never)
    func attendance(_ slot: Int) -> Attendance {
        guard let known = reach(slot).flatMap({ known(slot, $0) }), known.record.pointee.isOwn else { return .call }
        return known.record.pointee.attendance
    }

    /// Whether this process has an internal connection in this slot.
    func isInternal(_ slot: Int) -> Bool {
        reach(slot).flatMap { known(slot, $0) }?.record.pointee.isOwnInternal == true
    }

    // MARK: Records

    /// Makes an entered record; nil if there are too many, or no memory.
    func add(_ record: @autoclosure () -> PendingConnection, cookie: UInt64) -> Entered? {
        guard let slot = slots.take(), let entered = begin(slot) else { return nil }
        entered.record.initialize(to: record())
        return publish(entered, cookie: cookie) ? entered : nil
    }

    /// An entered record, not yet filled in; without memory for it the slot is given back.
    @inline(never)
    private func begin(_ slot: Int) -> Entered? {
        guard let shared = reach(slot), let entered = makeCopy(of: slot, shared) else {
            slots.giveBack(slot)
            return nil
        }
        _ = shared.lock.acquire()
        shared.asked.pointee.store(0, ordering: .relaxed)
        entered.cookie.pointee = 0
        return entered
    }

    /// Publishes the record; false, and the slot is given back, if that is impossible.
    @inline(never)
    private func publish(_ entered: Entered, cookie: UInt64) -> Bool {
        let (slot, shared) = (entered.slot, entered.shared)
        entered.record.pointee.cookie = cookie
        entered.turn.pointee = shared.turn.pointee.load(ordering: .relaxed)
        let isInternal = entered.record.pointee.role.isInternal
        shared.internalProcess.pointee.store(
            isInternal ? UInt64(UInt32(bitPattern: process_own_id())) : 0, ordering: .relaxed)
        entered.cookie.pointee = cookie
        guard slots.publish(slot, cookie: cookie) else {
            entered.cookie.pointee = 0
            shared.lock.release()
            slots.giveBack(slot)
            return false
        }
        // The common count first, and at the end the own one first: so `correctCount` finds no connection uncounted.
        count.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        pending_begin()
        if isInternal { internal_begin() }
        entered.record.pointee.name(by: entered.record.pointee.descriptor)
        return true
    }

    /// Makes a record of the connection of another process that has passed on its socket.
    ///
    /// - Parameter failure: the error; nil if it is pending there, and has failed for this process.
    func add(failure: Errno?, _ descriptor: Int32, cookie: UInt64, _ connections: UnsafePointer<Connections>) {
        if slots.find(cookie: cookie) != nil {
            // That process shares the table: the connection began after the fork, and is not counted here.
            pending_begin()
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_PENDING))
            return
        }
        let told = failure ?? .aborted
        guard Errno.words.contains(UInt32(bitPattern: told.code)),
            let entered = add(PendingConnection.lost(cookie: cookie, descriptor: descriptor), cookie: cookie)
        else { return }
        entered.record.pointee.failure = .errno(told)
        entered.record.pointee.isElsewhere = failure == nil
        PendingHandle(connections: connections, socket: Socket(descriptor: descriptor), entered).leave()
    }

    /// Frees an entered slot, and leaves it.
    func remove(_ entered: Entered) {
        let slot = entered.slot
        let descriptor = entered.record.pointee.descriptor
        let isOwn = entered.record.pointee.isOwn
        let mark = entered.record.pointee.mark
        ConnectionSecurity.discard(&entered.record.pointee.security)
        audits.forget(entered.record)
        entered.record.pointee.attend(.call)
        deadlines.set(nil, for: slot)
        entered.cookie.pointee = 0
        slots.withdraw(slot)
        if isOwn { pending_end() }
        if entered.record.pointee.isOwnInternal { internal_end() }
        count.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        if !isOwn { correctCount() }
        if isOwn { descriptor_clear_marks(descriptor, UInt32(DESCRIPTOR_PENDING), mark) }
        entered.shared.lock.release()
        slots.giveBack(slot)
    }
}
