import Addressing
import CPreload
import SharedTables
import Synchronization
import TableMemory

/// The relayed sockets of a process tree.
///
/// Each record belongs to its socket's cookie and has a lock. A process works on a private copy; the shared words tell
/// others of changes (`RelayedSocket.init(from:)`). They are not read for a socket that no other process can have.
struct RelayedSockets: @unchecked Sendable {
    private let slotsMemory: SharedMemory
    private let records: SharedMemory
    /// Private: four words for all, then the table of rooms.
    private let own: UnsafeMutableRawPointer
    private let rooms: PrivateRooms

    /// More than a proxy can have at once: each association has a connection from another port of this machine, and the
    /// kernel gives out 28,232 by default (ip(7), ip_local_port_range).
    private static var capacity: Int { 32_768 }
    /// Of the lock, and the number of times that the record was written.
    private static var lockSize: Int { 64 }
    private static var turnOffset: Int { 8 }
    private static var recordSize: Int { (lockSize + RelayedSocket.wordCount * 8 + 63) / 64 * 64 }

    /// The bytes of shared memory: for the slots, and for their records.
    static var sharedSizes: SharedTable.AssociationSizes {
        .init(slots: SlotTable<SharedMemory>.size(capacity: capacity), records: capacity * recordSize)
    }
    /// The bytes of private memory.
    static var ownSize: Int { roomsOffset + PrivateRooms.size(capacity: capacity) }
    private static var roomsOffset: Int { 32 }

    /// - Parameters:
    ///   - slots: `sharedSizes.slots` bytes or more, shared by processes.
    ///   - records: `sharedSizes.records` bytes or more, shared by processes.
    ///   - own: `ownSize` bytes, zero-filled, private.
    init(slots: SharedMemory, records: SharedMemory, own: UnsafeMutableRawPointer) {
        slotsMemory = slots
        self.records = records
        self.own = own
        rooms = PrivateRooms(own + RelayedSockets.roomsOffset, roomSize: MemoryLayout<Room>.stride)
    }

    // MARK: Memory

    /// Whether the slots can be accessed; asked once in a process.
    private var areSlotsThere: Bool {
        if areReached.pointee.load(ordering: .relaxed) != 0 { return true }
        guard slotsMemory.reach(offset: 0, size: 64) != nil else { return false }
        areReached.pointee.store(1, ordering: .relaxed)
        return true
    }

    /// Only valid if they can be accessed.
    private var slots: SlotTable<SharedMemory> {
        SlotTable(memory: slotsMemory, capacity: RelayedSockets.capacity)
    }

    /// Whether a record and its lock can be accessed from now on.
    private func reach(_ slot: Int) -> Bool {
        records.reach(offset: slot * RelayedSockets.recordSize, size: RelayedSockets.recordSize) != nil
    }

    // MARK: Finding

    /// What `find` finds.
    enum Search {
        case slot(Int)
        /// The socket is not relayed.
        case none
        /// The kernel does not say which socket it is: see `Socket.Identity`.
        case refused(Errno)
    }

    /// Finds a descriptor's socket.
    ///
    /// - Parameter tick: the current one.
    func find(_ descriptor: Int32, at tick: UInt32 = descriptor_tick()) -> Search {
        let known = descriptor_slot(descriptor, tick)
        if known >= 0 { return .slot(Int(known)) }
        let search = ask(descriptor)
        if case .slot(let slot) = search {
            descriptor_note_slot(descriptor, Int32(truncatingIfNeeded: slot), tick)
            adopt(slot, descriptor)
        }
        return search
    }

    /// The same on little stack, without taking the record over.
    func look(for descriptor: Int32) -> Search {
        let known = descriptor_slot(descriptor, descriptor_tick())
        return known >= 0 ? .slot(Int(known)) : ask(descriptor)
    }

    private func ask(_ descriptor: Int32) -> Search {
        let seen = descriptor_mark(descriptor)
        let identity = Socket(descriptor: descriptor).identity
        if case .refused(let errno) = identity { return .refused(errno) }
        guard case .socket(let cookie) = identity, let slot = slot(ofCookie: cookie) else {
            descriptor_forget_slot(descriptor)
            descriptor_clear_wrong_marks(descriptor, UInt32(DESCRIPTOR_RELAYED), seen)
            return .none
        }
        return .slot(slot)
    }

    /// The slot of a descriptor's socket; nil if it is not relayed, or the kernel does not say which it is.
    func slot(of descriptor: Int32) -> Int? {
        guard case .slot(let slot) = find(descriptor) else { return nil }
        return slot
    }

    /// The slot that this process last used for the descriptor; nil if there is none.
    private func slot(namedBy descriptor: Int32) -> Int? {
        guard areSlotsThere else { return nil }
        for slot in 0..<slots.end where slots.cookie(of: slot) != 0 {
            guard let copy = copy(of: slot), copy.pointee.record.descriptor == descriptor,
                copy.pointee.record.process == process_own_id()
            else { continue }
            return slot
        }
        return nil
    }

    /// Takes the record over if the process that made it has ended: else it could be removed as that one's.
    private func adopt(_ slot: Int, _ descriptor: Int32) {
        guard let process = latest(slot)?.pointee.process, process != process_own_id(),
            process_has_ended(process) != 0, let record = enter(slot)
        else { return }
        record.pointee.isMade(by: descriptor)
        leave(slot)
    }

    func slot(ofCookie cookie: UInt64) -> Int? {
        guard areSlotsThere, let slot = slots.find(cookie: cookie), reach(slot) else { return nil }
        return slot
    }

    func cookie(of slot: Int) -> UInt64 { slots.cookie(of: slot) }

    /// Makes a record for the descriptor's socket if there is none, and marks the descriptor; ENOBUFS if there are too
    /// many.
    ///
    /// - Parameter isConnecting: as of `WayOptions.take`.
    func add(_ descriptor: Int32, domain: Int32, isConnecting: Bool = false) throws(Errno) -> Int {
        let socket = Socket(descriptor: descriptor)
        guard let cookie = socket.cookie else { throw .outOfBuffers }
        let slot: Int
        if let known = self.slot(ofCookie: cookie) {
            slot = known
        } else {
            guard areSlotsThere else { throw .outOfBuffers }
            sweep()
            guard let taken = slots.take() else { throw .outOfBuffers }
            guard reach(taken), let room = makeRoom(of: taken) else {
                slots.giveBack(taken)
                throw .outOfBuffers
            }
            let copy = copy(in: room)
            var record = RelayedSocket(descriptor: descriptor, domain: domain)
            if process_is_confined() == 0, let name = try? socket.name { record.hadPort = name.port != 0 }
            do throws(Errno) {
                if SocketOptions.mayHold(socket) {
                    try record.way.take(from: socket, isConnecting: isConnecting)
                }
            } catch {
                slots.giveBack(taken)
                throw error
            }
            copy.initialize(to: Copy(cookie: cookie, record: record))
            write(copy, of: taken)
            guard slots.publish(taken, cookie: cookie) else {
                slots.giveBack(taken)
                try record.way.put(on: socket)
                throw .outOfBuffers
            }
            slot = taken
        }
        mark(descriptor)
        return slot
    }

    /// The descriptor has a relayed socket.
    func mark(_ descriptor: Int32) {
        relayed_begin()
        descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_RELAYED))
    }

    /// The descriptor came from another process, or from the program before exec(3): others may have the socket, and
    /// its control connection may have ended there.
    func receive(_ descriptor: Int32, _ slot: Int) {
        mark(descriptor)
        descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_DUPLICATED))
        guard let record = enter(slot) else { return }
        record.pointee.association.mayHaveEnded()
        leave(slot)
    }

    // MARK: Records

    /// Enters a record; nil if a signal has interrupted the calling thread while it had the lock, or if the slot has
    /// another socket by now.
    func enter(_ slot: Int) -> UnsafeMutablePointer<RelayedSocket>? {
        var isHalfChanged = false
        switch lock(slot).acquire() {
        case .isOwn: return nil
        case .acquired: break
        case .inherited: isHalfChanged = true
        }
        guard let record = read(slot) else {
            lock(slot).release()
            return nil
        }
        if isHalfChanged { record.pointee.isHalfChanged() }
        return record
    }

    func leave(_ slot: Int) {
        if let copy = copy(of: slot) { write(copy, of: slot) }
        lock(slot).release()
    }

    /// The same if nothing has changed that others need: not for the time of the last datagram or of the last check of
    /// the control connection.
    func leaveUnchanged(_ slot: Int) { lock(slot).release() }

    /// Removes the entered record, and leaves it.
    func remove(_ slot: Int) {
        forgetQueue(slot)
        forgetFragments(slot)
        if let copy = copy(of: slot) {
            descriptor_forget_slot(copy.pointee.record.descriptor)
            copy.pointee.cookie = 0
        }
        slots.withdraw(slot)
        lock(slot).release()
        slots.giveBack(slot)
    }

    /// The state of the socket before a datagram is received. Read without the lock: a change is seen when the datagram
    /// is decapsulated.
    func prepare(_ plan: UnsafeMutablePointer<udp_receive_plan>, _ slot: Int) {
        plan.pointee.tick = descriptor_tick()
        guard let record = latest(slot) else {
            plan.pointee.slot = Int32(truncatingIfNeeded: slot)
            // The datagram is dropped.
            plan.pointee.unanswered = (own + 24).assumingMemoryBound(to: UInt32.self)
            plan.pointee.head = 0
            plan.pointee.is_connected = 0
            plan.pointee.expected = nil
            return
        }
        describe(record, slot, plan)
    }

    /// The same on little stack, for a descriptor whose slot is known; false if the kernel has to be asked.
    func prepareQuickly(_ descriptor: Int32, _ plan: UnsafeMutablePointer<udp_receive_plan>) -> Bool {
        let tick = descriptor_tick()
        let slot = Int(descriptor_slot(descriptor, tick))
        guard slot >= 0, let record = known(slot) else { return false }
        plan.pointee.tick = tick
        describe(record, slot, plan)
        return true
    }

    private func describe(
        _ record: UnsafeMutablePointer<RelayedSocket>, _ slot: Int,
        _ plan: UnsafeMutablePointer<udp_receive_plan>
    ) {
        plan.pointee.slot = Int32(truncatingIfNeeded: slot)
        plan.pointee.unanswered = withUnsafeMutablePointer(to: &record.pointee.association.unanswered) { $0 }
        plan.pointee.head = UInt32(record.pointee.expectedHeader)
        switch record.pointee.kernelPeer {
        case .relay, .own: plan.pointee.is_connected = 1
        case .none, .proxy, .nobody: plan.pointee.is_connected = 0
        }
        let isKnown = record.pointee.peerHeaderLength == record.pointee.expectedHeader
        plan.pointee.expected = isKnown ? RelayedSocket.peerHeader(of: record) : nil
    }

    // Of a slot that was reached, as all are that `slot` gives.

    private func start(of slot: Int) -> UnsafeMutableRawPointer {
        records.reached(offset: slot * RelayedSockets.recordSize, size: RelayedSockets.recordSize)
    }

    private func lock(_ slot: Int) -> OwnerLock {
        OwnerLock(start(of: slot).assumingMemoryBound(to: UInt64.self), isShared: true)
    }

    private func turn(of slot: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (start(of: slot) + RelayedSockets.turnOffset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    // MARK: Copies

    /// The process' copy of a record.
    private struct Copy {
        /// The socket's cookie; 0 if unused.
        var cookie: UInt64
        /// The count of the record when it was read or written.
        var turn: UInt64 = 0
        var record: RelayedSocket
        /// `changes` of the names when they were last written; nil if they were not yet.
        var toldChanges: UInt32?
    }

    /// What a process has for itself of a slot.
    private struct Room {
        /// Unused at first.
        var copy: Copy
        /// The memory of the queue and the fragments; 0 if there is none. Used under the lock of the slot's record.
        var queue: UInt
        var fragments: UInt
    }

    private func room(of slot: Int) -> UnsafeMutablePointer<Room>? {
        rooms.room(of: slot).map { $0.assumingMemoryBound(to: Room.self) }
    }

    private func makeRoom(of slot: Int) -> UnsafeMutablePointer<Room>? {
        rooms.makeRoom(of: slot).map { $0.assumingMemoryBound(to: Room.self) }
    }

    private func copy(in room: UnsafeMutablePointer<Room>) -> UnsafeMutablePointer<Copy> {
        withUnsafeMutablePointer(to: &room.pointee.copy) { $0 }
    }

    /// The copy of a slot's record; nil if there is none of this socket.
    private func copy(of slot: Int) -> UnsafeMutablePointer<Copy>? {
        guard let room = room(of: slot), room.pointee.copy.cookie != 0,
            room.pointee.copy.cookie == slots.cookie(of: slot)
        else { return nil }
        return copy(in: room)
    }

    private func record(in copy: UnsafeMutablePointer<Copy>) -> UnsafeMutablePointer<RelayedSocket> {
        withUnsafeMutablePointer(to: &copy.pointee.record) { $0 }
    }

    /// The copy of a record whose lock the calling thread has, read if necessary; nil if the slot is empty, its words
    /// are not valid, or there is no memory.
    private func read(_ slot: Int) -> UnsafeMutablePointer<RelayedSocket>? {
        let turn = turn(of: slot).pointee.load(ordering: .acquiring)
        if let copy = copy(of: slot) {
            let descriptor = copy.pointee.record.descriptor
            if copy.pointee.turn == turn || !copy.pointee.record.mayHaveOthers(descriptor) { return record(in: copy) }
        }
        let cookie = slots.cookie(of: slot)
        guard cookie != 0,
            let read = RelayedSocket(
                from: start(of: slot) + RelayedSockets.lockSize, check: mixed(cookie, into: turn),
                namesCheck: cookie),
            let room = makeRoom(of: slot)
        else { return nil }
        let copy = copy(in: room)
        copy.initialize(to: Copy(cookie: cookie, turn: turn, record: read, toldChanges: read.names.changes))
        return record(in: copy)
    }

    /// Writes the record for other processes.
    private func write(_ copy: UnsafeMutablePointer<Copy>, of slot: Int) {
        let next = turn(of: slot).pointee.load(ordering: .relaxed) &+ 1
        let words = start(of: slot) + RelayedSockets.lockSize
        copy.pointee.record.write(to: words, check: mixed(copy.pointee.cookie, into: next))
        if copy.pointee.record.names.changes != copy.pointee.toldChanges {
            copy.pointee.record.writeNames(to: words, check: copy.pointee.cookie)
            copy.pointee.toldChanges = copy.pointee.record.names.changes
        }
        turn(of: slot).pointee.store(next, ordering: .releasing)
        copy.pointee.turn = next
    }

    /// The record as it was a moment ago; nil as in `read`, or if this thread has its lock.
    private func latest(_ slot: Int) -> UnsafeMutablePointer<RelayedSocket>? {
        if let record = known(slot) { return record }
        guard let record = enter(slot) else { return nil }
        lock(slot).release()
        return record
    }

    /// The record in the process' copy, if that is current.
    private func known(_ slot: Int) -> UnsafeMutablePointer<RelayedSocket>? {
        guard let copy = copy(of: slot), copy.pointee.turn == turn(of: slot).pointee.load(ordering: .acquiring)
        else { return nil }
        return record(in: copy)
    }

    // MARK: The end

    /// A descriptor of the socket is about to be closed. Removes the record if no other can have the socket; else ends
    /// the control connection here, and leaves it to the others.
    ///
    /// No datagram is lost by that: those that wait for an association leave by a descriptor of the library's own when
    /// it is open, and a control connection lingers for a moment.
    func end(_ descriptor: Int32, _ datagrams: UnsafePointer<Datagrams>) {
        // Ask the kernel before removing: the number may be another socket's since this tick.
        descriptor_forget_slot(descriptor)
        let found: Int?
        switch find(descriptor) {
        case .slot(let slot): found = slot
        case .none: found = nil
        case .refused: found = slot(namedBy: descriptor)
        }
        guard let slot = found, let record = enter(slot) else { return }
        descriptor_forget_slot(descriptor)
        let mayHaveOthers = record.pointee.mayHaveOthers(descriptor)
        if mayHaveOthers, let other = self.descriptor(of: cookie(of: slot), except: descriptor) {
            if record.pointee.process == process_own_id() { record.pointee.descriptor = other }
            return leave(slot)
        }
        let connection = record.pointee.association.connection
        if connection != nil, queue(slot) != nil, let own = LibraryDescriptor.duplicate(descriptor) {
            record.pointee.descriptor = own
            record.pointee.isLingering = true
            return leave(slot)
        }
        let lingering = record.pointee.association.lingering
        if lingering == nil { record.pointee.association.closeControl() }
        if mayHaveOthers { leave(slot) } else { remove(slot) }
        connection?.abandon(datagrams.pointee.connections)
        lingering?.linger(datagrams.pointee.connections)
    }

    /// Whether a datagram of this process waits for an association, or has only just left.
    func isAnySendFresh() -> Bool {
        guard areSlotsThere else { return false }
        for slot in 0..<slots.end where slots.cookie(of: slot) != 0 {
            guard let copy = copy(of: slot), copy.pointee.record.process == process_own_id() else { continue }
            if queue(slot) != nil && copy.pointee.record.association.connection != nil
                || copy.pointee.record.association.lingering != nil
            {
                return true
            }
        }
        return false
    }

    /// Whether the descriptor is the library's own control connection.
    func isControl(_ descriptor: Int32) -> Bool { slot(ofControl: descriptor) != nil }

    private func slot(ofControl descriptor: Int32) -> Int? {
        let slot = Int(descriptor_control_slot(descriptor))
        guard slot >= 0, let copy = copy(of: slot), copy.pointee.record.association.isControl(descriptor) else {
            return nil
        }
        return slot
    }

    /// The program wants this number for another file: the control connection gets another one.
    func moveControl(_ descriptor: Int32) {
        guard let slot = slot(ofControl: descriptor), let record = enter(slot) else { return }
        record.pointee.association.moveControl(from: descriptor)
        descriptor_note_control_slot(record.pointee.association.control, Int32(truncatingIfNeeded: slot))
        leave(slot)
    }

    // MARK: Sockets that ended unseen

    /// With more slots than this, the records of ended processes are removed.
    private static var many: Int { 2048 }

    /// Looks at two records, and removes them if this process made them and their sockets are closed: not every close is
    /// seen. If there are many records, removes those of ended processes as well: they rarely passed a socket on, and a
    /// process that has such a socket registers it again on first use.
    private func sweep() {
        let end = slots.end
        guard end > 0 else { return }
        for _ in 0..<2 {
            let turn = hand.pointee.wrappingAdd(1, ordering: .relaxed).newValue
            let slot = Int(truncatingIfNeeded: turn % UInt64(end))
            let cookie = slots.cookie(of: slot)
            guard cookie != 0, reach(slot), lock(slot).tryAcquire() else { continue }
            guard let record = read(slot) else {
                lock(slot).release()
                continue
            }
            let isOwn = record.pointee.process == process_own_id()
            let isGone =
                isOwn
                ? !Socket(descriptor: record.pointee.descriptor).mayBe(cookie)
                : end > RelayedSockets.many && process_has_ended(record.pointee.process) != 0
            guard slots.cookie(of: slot) == cookie, isGone else {
                lock(slot).release()
                continue
            }
            if isOwn, let other = descriptor(of: cookie) {
                record.pointee.descriptor = other
                leave(slot)
            } else {
                record.pointee.association.closeControl()
                remove(slot)
            }
        }
    }

    /// A marked descriptor of this process that has the socket.
    func descriptor(of cookie: UInt64, except ended: Int32 = -1) -> Int32? {
        MarkedDescriptors(marks: UInt32(DESCRIPTOR_RELAYED | DESCRIPTOR_DUPLICATED), cookie: cookie).first(
            except: ended)
    }

    // MARK: What is the process' own

    private var hand: UnsafeMutablePointer<Atomic<UInt64>> { own.assumingMemoryBound(to: Atomic<UInt64>.self) }

    private var areReached: UnsafeMutablePointer<Atomic<UInt64>> {
        (own + 16).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The queue of a slot; nil when there is none.
    func queue(_ slot: Int) -> DatagramQueue? {
        room(of: slot).flatMap { UnsafeMutableRawPointer(bitPattern: $0.pointee.queue) }.map {
            DatagramQueue(memory: $0)
        }
    }

    /// The same, made if there is none; nil when there is no memory.
    func makeQueue(_ slot: Int) -> DatagramQueue? {
        if let queue = queue(slot) { return queue }
        guard let room = makeRoom(of: slot), let queue = DatagramQueue.make() else { return nil }
        room.pointee.queue = UInt(bitPattern: queue.memory)
        return queue
    }

    func forgetQueue(_ slot: Int) {
        queue(slot)?.unmap()
        room(of: slot)?.pointee.queue = 0
    }

    /// Hands what waits for an association over to a socket of the library's own, as the program's gets another use.
    /// Returns its slot; nil if nothing waits, or there is no memory.
    ///
    /// - Parameter record: the entered one of `slot`, which is to be removed.
    func bequeath(_ record: UnsafeMutablePointer<RelayedSocket>, _ slot: Int) -> Int? {
        guard record.pointee.association.connection != nil, let room = room(of: slot), room.pointee.queue != 0 else {
            return nil
        }
        let descriptor = LibraryDescriptor.makeDatagrams(record.pointee.domain)
        guard descriptor >= 0 else { return nil }
        guard let heir = try? add(descriptor, domain: record.pointee.domain), let heirs = enter(heir) else {
            LibraryDescriptor.close(descriptor)
            return nil
        }
        heirs.pointee.association = record.pointee.association
        heirs.pointee.isLingering = true
        record.pointee.association.detach()
        if let heirsRoom = self.room(of: heir) {
            heirsRoom.pointee.queue = room.pointee.queue
            room.pointee.queue = 0
        }
        leave(heir)
        return heir
    }

    /// The buffer for the fragments of a slot; nil without memory.
    func makeFragments(_ slot: Int) -> FragmentBuffer? {
        if let fragments = fragments(slot) { return fragments }
        guard let room = makeRoom(of: slot), let fragments = FragmentBuffer.make() else { return nil }
        room.pointee.fragments = UInt(bitPattern: fragments.memory)
        return fragments
    }

    private func fragments(_ slot: Int) -> FragmentBuffer? {
        room(of: slot).flatMap { UnsafeMutableRawPointer(bitPattern: $0.pointee.fragments) }.map {
            FragmentBuffer(memory: $0)
        }
    }

    private func forgetFragments(_ slot: Int) {
        fragments(slot)?.unmap()
        room(of: slot)?.pointee.fragments = 0
    }
}
