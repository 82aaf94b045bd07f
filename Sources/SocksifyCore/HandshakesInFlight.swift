import Addressing
import CLibC
import SocketTable
import Synchronization
import TableMemory

/// The handshakes that are under way, and those that have failed and whose failure the program has not asked for yet.
///
/// Each belongs to its socket's cookie, whatever descriptors stand for it, and has a lock; whoever finds the socket
/// ready takes it and goes on, be it a thread of this process or of one that forked from it: the memory is common to
/// them, as the sockets are.
struct HandshakesInFlight: @unchecked Sendable {
    let places: PlaceTable<ReadyMemory>
    let deadlines: Deadlines
    let marker: EventMarker
    let audits: EpollAudits
    /// The number of records; then two words of `audits`.
    private let header: UnsafeMutableRawPointer
    private let records: SharedMemory

    private static var capacity: Int { 16_384 }
    private static var lockSize: Int { 64 }
    private static var buffersOffset: Int { lockSize + MemoryLayout<HandshakeRecord>.stride }
    private static var recordSize: Int { (buffersOffset + HandshakeBuffers.size + 63) / 64 * 64 }
    private static var headerSize: Int { 64 }
    private static var placesSize: Int { (PlaceTable<ReadyMemory>.size(capacity: capacity) + 63) / 64 * 64 }
    private static var deadlinesSize: Int { (Deadlines.size(capacity: capacity) + 63) / 64 * 64 }

    /// What is needed to find records; 900 KiB.
    private static var tableSize: Int { headerSize + placesSize + deadlinesSize }
    /// 50 MiB, of which what is used is taken.
    private static var recordsSize: Int { (capacity * recordSize + 0xffff) & ~0xffff }
    /// Private memory that the records need, in bytes.
    static var notesSize: Int { SharedMemory.notesSize(for: recordsSize) }

    /// nil when there is no memory.
    ///
    /// - Parameters:
    ///   - notes: `notesSize` bytes, zero-filled, private.
    ///   - audits: `EpollAudits.size` bytes, zero-filled, private.
    init?(notes: UnsafeMutableRawPointer, audits: UnsafeMutableRawPointer) {
        let mapped = kernel_map_shared(HandshakesInFlight.tableSize)
        guard mapped >= 0, let memory = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        guard let parts = SharedMemory.privateParts([HandshakesInFlight.recordsSize], notes: notes) else {
            kernel_unmap(memory, HandshakesInFlight.tableSize)
            return nil
        }
        header = memory
        records = parts[0]
        let places = memory + HandshakesInFlight.headerSize
        let deadlines = places + HandshakesInFlight.placesSize
        self.places = PlaceTable(memory: ReadyMemory(base: places), capacity: HandshakesInFlight.capacity)
        self.deadlines = Deadlines(memory: deadlines)
        var random = UInt64(truncatingIfNeeded: Clock.now) &* 0x9e37_79b9_7f4a_7c15
        _ = kernel_random(&random, 8)
        marker = EventMarker(random: random)
        self.audits = EpollAudits(shared: memory + 8, memory: audits)
    }

    // MARK: Copies

    /// Adds all of it to a copy; false when there is no room.
    func add(to copy: inout SharedCopy) -> Bool {
        let size = HandshakesInFlight.tableSize
        return copy.add(header, mappedSize: size, wholeSize: size) && records.add(to: &copy)
    }

    /// Goes on with the copy. What another process may go on with, too, this one cannot.
    func leave(for copy: inout SharedCopy) {
        let size = HandshakesInFlight.tableSize
        _ = kernel_map_file_over(header, copy.descriptor, copy.next(size: size), size)
        records.leave(for: &copy)
        for place in 0..<places.end where places.cookie(of: place) != 0 && reach(place) {
            if record(place).pointee.mayBeShared { record(place).pointee.isBroken = true }
        }
    }

    /// Gives the memory back, which nobody uses.
    func unmap() {
        records.unmap()
        kernel_unmap(header, HandshakesInFlight.tableSize)
    }

    /// Whether there is none that this process may have the socket of: what most calls need to know.
    static var isEmpty: Bool { any_in_flight(in_flight_word()) == 0 }

    private var count: UnsafeMutablePointer<Atomic<UInt64>> { header.assumingMemoryBound(to: Atomic<UInt64>.self) }

    /// Corrects the process' own count when all is over: another process may have ended what this one began.
    func correctCount() {
        let seen = in_flight_word()
        if count.pointee.load(ordering: .sequentiallyConsistent) == 0 { in_flight_none(seen) }
    }

    // MARK: Locks

    /// What `enter` finds.
    enum Entry {
        /// The socket has no handshake in flight.
        case none
        /// The calling thread has been interrupted, by a signal, while it was at work on this very handshake; or the
        /// record, which another process has made, cannot be looked at for want of memory.
        case busy
        /// The record, which nobody else touches before `leave`.
        case record(Int)
        /// The place that was the socket's, and is another's by now: it is entered, and to be left as any other, because
        /// somebody may have asked for a look at that one meanwhile.
        case another(Int)
    }

    /// Takes the handshake of the socket with this cookie, and waits for whoever has it: that takes a few system calls,
    /// never longer.
    func enter(cookie: UInt64) -> Entry {
        guard let place = places.find(cookie: cookie) else { return .none }
        guard reach(place) else { return .busy }
        switch lock(place).acquire() {
        case .isOwn:
            return .busy
        case .inherited:
            // Its owner ended in the middle of a step. What was sent and received nobody knows.
            record(place).pointee.isBroken = true
        case .acquired: break
        }
        return places.isFound(place, by: cookie) ? .record(place) : .another(place)
    }

    /// Takes the handshake in this place; false when there is none, or when somebody else has it, who will then look at
    /// the socket again.
    func tryEnter(place: Int) -> Bool {
        guard place < places.end, reach(place) else { return false }
        if !lock(place).tryAcquire() {
            asked(place).pointee.store(1, ordering: .sequentiallyConsistent)
            guard lock(place).tryAcquire() else { return false }
        }
        guard places.cookie(of: place) != 0 else {
            // Set by somebody who still took it for used.
            deadlines.set(nil, for: place)
            lock(place).release()
            return false
        }
        return true
    }

    /// Whether somebody asked for another look since the last call.
    func takeAsked(_ place: Int) -> Bool {
        asked(place).pointee.exchange(0, ordering: .sequentiallyConsistent) != 0
    }

    /// Lets others have it. True when somebody asked for another look meanwhile: whoever lets go of it takes that look.
    func leave(_ place: Int) -> Bool {
        lock(place).release()
        return asked(place).pointee.load(ordering: .sequentiallyConsistent) != 0
    }

    // MARK: Records

    /// Whether the record of a place can be touched, from now on.
    func reach(_ place: Int) -> Bool {
        records.reach(offset: place * HandshakesInFlight.recordSize, size: HandshakesInFlight.recordSize) != nil
    }

    // Of a place that was reached, as all are that are entered.

    @inline(never)
    private func start(of place: Int) -> UnsafeMutableRawPointer {
        records.reached(offset: place * HandshakesInFlight.recordSize, size: HandshakesInFlight.recordSize)
    }

    func record(_ place: Int) -> UnsafeMutablePointer<HandshakeRecord> {
        (start(of: place) + HandshakesInFlight.lockSize).assumingMemoryBound(to: HandshakeRecord.self)
    }

    /// What a record's handshake sends and receives.
    func buffers(_ place: Int) -> HandshakeBuffers {
        HandshakeBuffers(memory: start(of: place) + HandshakesInFlight.buffersOffset)
    }

    /// Makes a record, entered; nil when there are too many, or no memory.
    func add(_ record: @autoclosure () -> HandshakeRecord, cookie: UInt64) -> Int? {
        guard let place = places.take() else { return nil }
        guard reach(place) else {
            places.giveBack(place)
            return nil
        }
        _ = lock(place).acquire()
        asked(place).pointee.store(0, ordering: .relaxed)
        self.record(place).initialize(to: record())
        self.record(place).pointee.cookie = cookie
        guard places.publish(place, cookie: cookie) else {
            lock(place).release()
            places.giveBack(place)
            return nil
        }
        // Common to all first, and own first at the end: so `correctCount` finds no handshake uncounted.
        count.pointee.wrappingAdd(1, ordering: .sequentiallyConsistent)
        in_flight_begin()
        if self.record(place).pointee.purpose.isErrand { errand_begin() }
        self.record(place).pointee.name(by: self.record(place).pointee.descriptor)
        return place
    }

    /// Ends a record that was entered, and leaves it.
    func remove(_ place: Int) {
        let descriptor = record(place).pointee.descriptor
        let isOwn = record(place).pointee.isOwn
        let mark = record(place).pointee.mark
        audits.forget(record(place))
        deadlines.set(nil, for: place)
        places.withdraw(place)
        if isOwn { in_flight_end() }
        if isOwn, record(place).pointee.purpose.isErrand { errand_end() }
        count.pointee.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        if !isOwn { correctCount() }
        if isOwn { descriptor_clear_marks(descriptor, UInt32(DESCRIPTOR_IN_FLIGHT), mark) }
        lock(place).release()
        places.giveBack(place)
    }

    private func lock(_ place: Int) -> ThreadLock {
        ThreadLock(start(of: place).assumingMemoryBound(to: UInt64.self), isShared: true)
    }

    private func asked(_ place: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (start(of: place) + 8).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}

/// A handshake in flight, and what is to be put back when it is over.
struct HandshakeRecord {
    var handshake: Handshake
    var purpose: Purpose
    /// The socket's. Where another took the socket's place, that one's.
    var cookie: UInt64 = 0
    /// A descriptor of the socket: the last that the program named it by.
    private(set) var descriptor: Int32
    /// The descriptor's marks when it was named in the process that called connect(2): with the count that is theirs they
    /// tell whether the number has become another socket's since. 0 when another process named it.
    private(set) var mark: UInt32 = 0
    /// The process that called connect(2), and how often it had forked: whether others may have the socket too.
    let process: Int32
    let forks: UInt32
    /// Whether the kernel was asked to connect. Before that the socket is ready for everything, and means nothing.
    var isStarted = false
    /// Whether somebody found it ready before that.
    var wasAskedEarly = false
    /// Set when nobody knows how far the handshake came.
    var isBroken = false
    /// Why the handshake failed, once it has.
    var failure: HandshakeFailure?
    /// TCP_USER_TIMEOUT as the program has set it, while the library's stands in its place.
    var userTimeout: Int32?
    var registrations = InlineArray<8, RecordedRegistration>(repeating: RecordedRegistration())
    var registrationCount = 0
    /// Whether the program is not known to wait for the socket: an epoll may watch it by a registration that was not
    /// seen.
    var isUnwatched = false

    init(_ handshake: Handshake, descriptor: Int32, purpose: Purpose = .connection) {
        self.handshake = handshake
        self.purpose = purpose
        self.descriptor = descriptor
        process = process_own_id()
        forks = process_forks()
    }

    /// From now on the socket is known by this descriptor, whose calls are to be held up.
    mutating func name(by descriptor: Int32) {
        self.descriptor = descriptor
        let marks = descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_IN_FLIGHT))
        mark = isOwn ? marks : 0
    }

    /// Whether this process called connect(2).
    var isOwn: Bool { process == process_own_id() }

    /// Whether another process does this errand, and it is none of this one's business.
    var isErrandOfAnother: Bool { purpose.isErrand && !isOwn }

    /// Whether a child of fork may have the socket, too.
    var mayBeShared: Bool { process != Int32(truncatingIfNeeded: kernel_process_id()) || forks != process_forks() }
}

/// A failure that the program has yet to learn of.
enum HandshakeFailure {
    /// The error to tell.
    case errno(Errno)
    /// The kernel could not connect to the proxy; it has the error itself.
    case ofKernel
}

/// What the program asked of an epoll about a socket in flight.
struct RecordedRegistration {
    var epoll: Int32 = -1
    var asked = EpollRegistration(target: -1, events: 0, data: 0)
}
