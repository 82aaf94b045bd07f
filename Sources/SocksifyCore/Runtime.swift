import Addressing
import CLibC
import FakeDNS
import ProxyConfig
import SocketTable
import Synchronization

/// What the library knows in a process. It is made at the first call that needs it, stays for the process' life, and
/// never changes, but for the tables, which are made for concurrent use.
///
/// Made under a lock that knows its thread, with signals blocked: a signal handler cannot find it held by its own
/// thread, and a child of fork sees that the owner is gone.
///
/// It cannot be copied: each call would count references to everything in the configuration.
struct Runtime: ~Copyable {
    let configuration: Configuration
    let firstHops: FirstHops
    let fakeAddresses: FakeAddresses
    let table: SharedTable
    let inFlight: HandshakesInFlight
    let carried: CarriedSockets
    let health: ProxyHealth
    let turns: ListTurns
    let isolation: IsolationName

    var names: NameTable<SharedMemory> { table.names }
    var sockets: SocketTable<SharedMemory> { table.sockets }
    var replaced: ReplacedSockets<SharedMemory> { table.replaced }

    /// The state of the process in the eyes of a call.
    enum State {
        case ready(UnsafePointer<Runtime>)
        /// There is no configuration that could be used: nothing is connected to.
        case unusable
        /// This very thread is making the runtime: the call is the library's own.
        case beingMade
    }

    /// The process' runtime, made if it is not there yet.
    static var state: State {
        if let known { return known }
        var signals: UInt64 = 0
        kernel_block_signals(&signals)
        defer { kernel_restore_signals(&signals) }
        let lock = ThreadLock(socksify_runtime_lock_word())
        if case .isOwn = lock.acquire() { return .beingMade }
        defer { lock.release() }
        if let known { return known }
        let made = make(isQuiet: false)
        let word = made.map { UInt64(UInt(bitPattern: $0)) } ?? unusableMark
        atomic(socksify_runtime_word()).pointee.store(word, ordering: .releasing)
        return made.map { .ready($0) } ?? .unusable
    }

    /// Makes the runtime, if it is not there yet and nothing is in the way.
    static func prepare() {
        guard known == nil else { return }
        var signals: UInt64 = 0
        kernel_block_signals(&signals)
        defer { kernel_restore_signals(&signals) }
        let lock = ThreadLock(socksify_runtime_lock_word())
        if case .isOwn = lock.acquire() { return }
        defer { lock.release() }
        guard known == nil, let made = make(isQuiet: true) else { return }
        atomic(socksify_runtime_word()).pointee.store(UInt64(UInt(bitPattern: made)), ordering: .releasing)
    }

    /// The runtime, if it was made; asking does not make it.
    static var existing: UnsafePointer<Runtime>? {
        guard case .ready(let runtime)? = known else { return nil }
        return runtime
    }

    private static var known: State? {
        let word = atomic(socksify_runtime_word()).pointee.load(ordering: .acquiring)
        guard word != unusableMark else { return .unusable }
        return UnsafePointer<Runtime>(bitPattern: UInt(word)).map { .ready($0) }
    }

    /// Stands in the word for a runtime that cannot be made. No address is 1.
    private static var unusableMark: UInt64 { 1 }

    /// nil, after a line that says why, when there is no configuration that could be used, or no memory.
    private static func make(isQuiet: Bool) -> UnsafePointer<Runtime>? {
        var making = Making(isQuiet: isQuiet)
        let heap = heap_make(makeRuntime, &making)
        if let heap {
            if case .made(let runtime) = making.outcome { return runtime }
            heap_discard(heap)
        }
        if case .refused = making.outcome, !isQuiet {
            Log.writeOnce(.noMemory) { $0.append("out of memory; no connection is made until there is some") }
        }
        return nil
    }

    /// What comes of making a runtime.
    fileprivate struct Making {
        let isQuiet: Bool
        var outcome = Outcome.refused

        enum Outcome {
            case made(UnsafePointer<Runtime>)
            case unconfigured
            /// There is no memory.
            case refused
        }
    }

    /// With a heap of its own.
    fileprivate static func makeInHeap(isQuiet: Bool) -> Making.Outcome {
        guard let configuration = ConfigurationSource.load(isQuiet: isQuiet) else { return .unconfigured }
        let fakeAddresses = FakeAddresses(network: configuration.fakeNetwork)
        var own = PrivateMemory(
            MemoryLayout<Runtime>.size, SharedTable.notesSize, HandshakesInFlight.notesSize, EpollAudits.size,
            CarriedSockets.ownSize, FirstHops.size(configuration), ProxyHealth.size(configuration),
            ListTurns.size(configuration), IsolationName.ownSize)
        let place = own.take(MemoryLayout<Runtime>.size).bindMemory(to: Runtime.self, capacity: 1)
        let firstHops = FirstHops(configuration, memory: own.take(FirstHops.size(configuration)))
        // From here on nothing is allocated: the heap does not know of these mappings.
        guard
            let inFlight = HandshakesInFlight(
                notes: own.take(HandshakesInFlight.notesSize), audits: own.take(EpollAudits.size))
        else { return .refused }
        guard let table = SharedTable(addressCount: fakeAddresses.capacity, notes: own.take(SharedTable.notesSize))
        else {
            inFlight.unmap()
            return .refused
        }
        place.initialize(
            to: Runtime(
                configuration: configuration, firstHops: firstHops, fakeAddresses: fakeAddresses, table: table,
                inFlight: inFlight,
                carried: CarriedSockets(memory: table.associations, own: own.take(CarriedSockets.ownSize)),
                health: ProxyHealth(
                    configuration, failures: table.failures, keys: own.take(ProxyHealth.size(configuration))),
                turns: ListTurns(configuration, turns: table.turns, keys: own.take(ListTurns.size(configuration))),
                isolation: IsolationName(
                    configuration.isolation, tree: table.identity, own: own.take(IsolationName.ownSize))))
        return .made(UnsafePointer(place))
    }

    /// What a process has for itself alone, in one piece.
    private struct PrivateMemory {
        private var place: UnsafeMutableRawPointer

        /// Room for parts of these sizes.
        init(_ sizes: Int...) {
            var size = 0
            for part in sizes { size += PrivateMemory.padded(part) }
            place = heap_zeroed(size)
        }

        mutating func take(_ size: Int) -> UnsafeMutableRawPointer {
            defer { place += PrivateMemory.padded(size) }
            return place
        }

        private static func padded(_ size: Int) -> Int { (size + 63) / 64 * 64 }
    }

    /// What an address of the program stands for, by the configuration's way with names.
    func meaning(of address: IPAddress) -> FakeAddresses.Meaning {
        configuration.reservesAddresses ? fakeAddresses.meaning(of: address) : .real
    }

    /// Whether a reserved address stands for the name.
    func givesFakeAddress(to name: HostName) -> Bool {
        switch configuration.dns {
        case .fake: true
        case .tor: NameSyntax.isOnion(name.bytes)
        case .tcp, .local: false
        }
    }
}

/// What `heap_make` calls; says what came of it.
private func makeRuntime(_ making: UnsafeMutableRawPointer) {
    let making = making.assumingMemoryBound(to: Runtime.Making.self)
    making.pointee.outcome = Runtime.makeInHeap(isQuiet: making.pointee.isQuiet)
}
