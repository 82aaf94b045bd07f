import CLibC
import SocketTable
import Synchronization

/// What is known of the datagram sockets that are carried: those that have sent, or were connected, to where only a proxy
/// leads, or to a server of the DNS in whose place the library answers.
///
/// Each record belongs to its socket's cookie, whatever descriptors and processes stand for it, and has a lock that is
/// held while it is looked at, never while somebody waits. Who has a handshake's lock may take a record's, not the other
/// way round.
struct CarriedSockets: @unchecked Sendable {
    private let memory: SharedMemory
    /// The process' own: two words of each place, behind three for all.
    private let own: UnsafeMutableRawPointer

    private static var capacity: Int { 4096 }
    private static var lockSize: Int { 64 }
    private static var recordSize: Int { (lockSize + MemoryLayout<CarriedSocket>.stride + 63) / 64 * 64 }
    private static var placesSize: Int { (PlaceTable.size(capacity: capacity) + 63) / 64 * 64 }

    /// Bytes of the memory that processes share.
    static var size: Int { placesSize + capacity * recordSize }
    /// Bytes of the memory that each has for itself.
    static var ownSize: Int { 24 + capacity * 16 }

    /// - Parameters:
    ///   - memory: `size` bytes or more, shared by processes.
    ///   - own: `ownSize` bytes, zero-filled, private.
    init(memory: SharedMemory, own: UnsafeMutableRawPointer) {
        self.memory = memory
        self.own = own
    }

    // MARK: Memory

    /// Whether the places can be looked at; asked once in a process.
    private var arePlacesThere: Bool {
        if areReached.pointee.load(ordering: .relaxed) != 0 { return true }
        guard memory.reach(offset: 0, size: CarriedSockets.placesSize) != nil else { return false }
        areReached.pointee.store(1, ordering: .relaxed)
        return true
    }

    /// To be asked when they are there.
    private var places: PlaceTable {
        PlaceTable(
            memory: memory.reached(offset: 0, size: CarriedSockets.placesSize), capacity: CarriedSockets.capacity)
    }

    /// A record, with its lock before it; nil when its memory cannot be had.
    private func reach(_ place: Int) -> UnsafeMutablePointer<CarriedSocket>? {
        let offset = CarriedSockets.placesSize + place * CarriedSockets.recordSize
        return memory.reach(offset: offset, size: CarriedSockets.recordSize) == nil ? nil : record(place)
    }

    // MARK: Finding

    /// What `find` finds.
    enum Search {
        case place(Int)
        /// The socket is not carried.
        case none
        /// The kernel does not tell which socket it is: see `Socket.Identity`.
        case refused(Errno)
    }

    /// Finds a descriptor's socket.
    func find(_ descriptor: Int32) -> Search {
        let tick = coarse_tick()
        let known = carried_place(descriptor, tick)
        if known >= 0 { return .place(Int(known)) }
        let seen = descriptor_mark(descriptor)
        let identity = Socket(descriptor: descriptor).identity
        if case .refused(let errno) = identity { return .refused(errno) }
        guard case .socket(let cookie) = identity, let place = place(ofCookie: cookie) else {
            carried_forget(descriptor)
            descriptor_clear_wrong_marks(descriptor, UInt32(DESCRIPTOR_CARRIED), seen)
            return .none
        }
        carried_note(descriptor, Int32(truncatingIfNeeded: place), tick)
        adopt(place, descriptor)
        return .place(place)
    }

    /// The place of a descriptor's socket; nil when it is not carried, or nobody tells.
    func place(of descriptor: Int32) -> Int? {
        guard case .place(let place) = find(descriptor) else { return nil }
        return place
    }

    /// The place of the socket that this process has named by the descriptor last; nil when there is none.
    private func place(namedBy descriptor: Int32) -> Int? {
        guard arePlacesThere else { return nil }
        for place in 0..<places.end where places.cookie(of: place) != 0 {
            guard let record = reach(place), record.pointee.descriptor == descriptor,
                record.pointee.process == process_own_id()
            else { continue }
            return place
        }
        return nil
    }

    /// The socket is this process' when the one that made the record has ended: else it might be forgotten as that one's.
    private func adopt(_ place: Int, _ descriptor: Int32) {
        let process = record(place).pointee.process
        guard process != process_own_id(), process_has_ended(process) != 0, let record = enter(place) else {
            return
        }
        record.pointee.isMade(by: descriptor)
        leave(place)
    }

    func place(ofCookie cookie: UInt64) -> Int? {
        guard arePlacesThere, let place = places.find(cookie: cookie), reach(place) != nil else { return nil }
        return place
    }

    func cookie(of place: Int) -> UInt64 { places.cookie(of: place) }

    /// Makes a record for the descriptor's socket, if there is none yet, and marks the descriptor; nil when there are too
    /// many.
    func add(_ descriptor: Int32, domain: Int32) -> Int? {
        let socket = Socket(descriptor: descriptor)
        guard let cookie = socket.cookie else { return nil }
        let place: Int
        if let known = self.place(ofCookie: cookie) {
            place = known
        } else {
            guard arePlacesThere else { return nil }
            sweep()
            guard let taken = places.take() else { return nil }
            guard let record = reach(taken) else {
                places.giveBack(taken)
                return nil
            }
            record.initialize(to: CarriedSocket(descriptor: descriptor, domain: domain))
            guard places.publish(taken, cookie: cookie) else {
                places.giveBack(taken)
                return nil
            }
            place = taken
        }
        mark(descriptor)
        return place
    }

    /// The descriptor stands for a carried socket.
    func mark(_ descriptor: Int32) {
        datagrams_begin()
        descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_CARRIED))
    }

    /// The descriptor came from another process, or from the program that was executed before: others may have the
    /// socket, and the connection to the proxy may have ended there.
    func receive(_ descriptor: Int32, _ place: Int) {
        mark(descriptor)
        descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_DUPLICATED))
        guard let record = enter(place) else { return }
        record.pointee.association.mayHaveEnded()
        leave(place)
    }

    // MARK: Records

    /// Takes a record; nil when the calling thread has been interrupted, by a signal, while it had it, or when it is the
    /// socket's no more.
    func enter(_ place: Int) -> UnsafeMutablePointer<CarriedSocket>? {
        switch lock(place).acquire() {
        case .isOwn: return nil
        case .acquired: break
        case .inherited: record(place).pointee.isHalfChanged()
        }
        if places.cookie(of: place) != 0 { return record(place) }
        lock(place).release()
        return nil
    }

    func leave(_ place: Int) {
        lock(place).release()
    }

    /// Forgets the socket whose record was entered, and leaves it.
    func remove(_ place: Int) {
        let descriptor = record(place).pointee.descriptor
        forgetQueue(place)
        forgetFragments(place)
        places.withdraw(place)
        carried_forget(descriptor)
        lock(place).release()
        places.giveBack(place)
    }

    /// Says what is known before a datagram comes. Read without the lock: what has changed meanwhile is seen when it is
    /// taken out of its envelope.
    func prepare(_ reception: UnsafeMutablePointer<socksify_reception>, _ place: Int) {
        let record = record(place)
        reception.pointee.unanswered = withUnsafeMutablePointer(to: &record.pointee.association.unanswered) { $0 }
        reception.pointee.place = Int32(truncatingIfNeeded: place)
        reception.pointee.head = UInt32(record.pointee.expectedHeader)
        switch record.pointee.kernelPeer {
        case .relay, .own: reception.pointee.is_connected = 1
        case .none, .proxy: reception.pointee.is_connected = 0
        }
        let isKnown = record.pointee.peerHeaderLength == record.pointee.expectedHeader
        reception.pointee.expected = isKnown ? CarriedSocket.peerHeader(of: record) : nil
    }

    // Of a place that was reached, as all are that `place` gives.

    private func start(of place: Int) -> UnsafeMutableRawPointer {
        memory.reached(
            offset: CarriedSockets.placesSize + place * CarriedSockets.recordSize, size: CarriedSockets.recordSize)
    }

    private func record(_ place: Int) -> UnsafeMutablePointer<CarriedSocket> {
        (start(of: place) + CarriedSockets.lockSize).assumingMemoryBound(to: CarriedSocket.self)
    }

    private func lock(_ place: Int) -> ThreadLock {
        ThreadLock(start(of: place).assumingMemoryBound(to: UInt64.self))
    }

    // MARK: The end

    /// A descriptor of the socket is about to be closed. What nobody else may have is forgotten; else the connection to
    /// the proxy ends here, and lives on where others have it.
    ///
    /// Datagrams that were sent are not lost by that: those that wait for an association are sent when it is there, by a
    /// descriptor of the library's own, and a connection lingers for a moment.
    func end(_ descriptor: Int32, _ runtime: UnsafePointer<Runtime>) {
        // What is to be forgotten is asked of the kernel: the number may be that of another socket since this tick.
        carried_forget(descriptor)
        let found: Int?
        switch find(descriptor) {
        case .place(let place): found = place
        case .none: found = nil
        case .refused: found = place(namedBy: descriptor)
        }
        guard let place = found, let record = enter(place) else { return }
        carried_forget(descriptor)
        let mayHaveOthers = record.pointee.mayHaveOthers(descriptor)
        if mayHaveOthers, let other = self.descriptor(of: cookie(of: place), except: descriptor) {
            if record.pointee.process == process_own_id() { record.pointee.descriptor = other }
            return leave(place)
        }
        let errand = record.pointee.association.errand
        if errand != nil, queue(place) != nil, let own = OwnDescriptor.duplicate(descriptor) {
            record.pointee.descriptor = own
            record.pointee.isLingering = true
            return leave(place)
        }
        let lingering = record.pointee.association.lingering
        if lingering == nil { record.pointee.association.closeControl() }
        if mayHaveOthers { leave(place) } else { remove(place) }
        errand?.abandon(runtime)
        lingering?.linger(runtime)
    }

    /// Whether what was sent by a socket of this process waits for an association, or has hardly left.
    func isAnySendFresh() -> Bool {
        guard arePlacesThere else { return false }
        for place in 0..<places.end where places.cookie(of: place) != 0 {
            guard let record = reach(place), record.pointee.process == process_own_id() else { continue }
            if queue(place) != nil && record.pointee.association.errand != nil
                || record.pointee.association.lingering != nil
            {
                return true
            }
        }
        return false
    }

    /// Whether the descriptor is the library's own, for an association.
    func isControl(_ descriptor: Int32) -> Bool { place(ofControl: descriptor) != nil }

    private func place(ofControl descriptor: Int32) -> Int? {
        guard arePlacesThere else { return nil }
        for place in 0..<places.end where places.cookie(of: place) != 0 {
            if let record = reach(place), record.pointee.association.isControl(descriptor) { return place }
        }
        return nil
    }

    /// The number of an association's connection is to be another one's.
    func moveControl(_ descriptor: Int32) {
        guard let place = place(ofControl: descriptor), let record = enter(place) else { return }
        record.pointee.association.moveControl(from: descriptor)
        leave(place)
    }

    // MARK: Sockets that ended unseen

    /// Looks at two of the records, and forgets those that this process made and whose sockets are gone: so what is left
    /// over stays in bounds, though not every close is seen. When there are many, those of processes that have ended go,
    /// too: hardly any handed its sockets on, and who has one makes it its own by using it.
    private func sweep() {
        let end = places.end
        guard end > 0 else { return }
        for _ in 0..<2 {
            let turn = hand.pointee.wrappingAdd(1, ordering: .relaxed).newValue
            let place = Int(truncatingIfNeeded: turn % UInt64(end))
            let cookie = places.cookie(of: place)
            guard cookie != 0, reach(place) != nil, lock(place).tryAcquire() else { continue }
            let record = record(place)
            let isOwn = record.pointee.process == process_own_id()
            let isGone =
                isOwn
                ? !Socket(descriptor: record.pointee.descriptor).mayBe(cookie)
                : end > CarriedSockets.capacity / 2 && process_has_ended(record.pointee.process) != 0
            guard places.cookie(of: place) == cookie, isGone else {
                lock(place).release()
                continue
            }
            if isOwn, let other = descriptor(of: cookie) {
                record.pointee.descriptor = other
                lock(place).release()
            } else {
                record.pointee.association.closeControl()
                remove(place)
            }
        }
    }

    /// A marked descriptor of this process that stands for the socket.
    func descriptor(of cookie: UInt64, except ended: Int32 = -1) -> Int32? {
        MarkedDescriptors(marks: UInt32(DESCRIPTOR_CARRIED | DESCRIPTOR_DUPLICATED), cookie: cookie).first(
            except: ended)
    }

    // MARK: What is the process' own

    private var hand: UnsafeMutablePointer<Atomic<UInt64>> { own.assumingMemoryBound(to: Atomic<UInt64>.self) }

    /// When and whether the proxy refused to carry datagrams.
    var refusal: AssociationRefusal { AssociationRefusal(word: (own + 8).assumingMemoryBound(to: Atomic<Int>.self)) }

    private var areReached: UnsafeMutablePointer<Atomic<UInt64>> {
        (own + 16).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    // What follows is used under the lock of the place's record.

    private func word(_ place: Int, _ index: Int) -> UnsafeMutablePointer<UInt> {
        (own + 24 + place * 16 + index * 8).assumingMemoryBound(to: UInt.self)
    }

    /// The queue of a place; nil when there is none.
    func queue(_ place: Int) -> DatagramQueue? {
        UnsafeMutableRawPointer(bitPattern: word(place, 0).pointee).map { DatagramQueue(memory: $0) }
    }

    /// The same, made if there is none; nil when there is no memory.
    func makeQueue(_ place: Int) -> DatagramQueue? {
        if let queue = queue(place) { return queue }
        guard let queue = DatagramQueue.make() else { return nil }
        word(place, 0).pointee = UInt(bitPattern: queue.memory)
        return queue
    }

    func forgetQueue(_ place: Int) {
        queue(place)?.unmap()
        word(place, 0).pointee = 0
    }

    /// Where the fragments for a place are joined; nil when there is no memory.
    func makeFragments(_ place: Int) -> FragmentMemory? {
        if let fragments = fragments(place) { return fragments }
        guard let fragments = FragmentMemory.make() else { return nil }
        word(place, 1).pointee = UInt(bitPattern: fragments.memory)
        return fragments
    }

    private func fragments(_ place: Int) -> FragmentMemory? {
        UnsafeMutableRawPointer(bitPattern: word(place, 1).pointee).map { FragmentMemory(memory: $0) }
    }

    private func forgetFragments(_ place: Int) {
        fragments(place)?.unmap()
        word(place, 1).pointee = 0
    }
}
