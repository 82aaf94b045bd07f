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

    private static func make(isQuiet: Bool) -> UnsafePointer<Runtime>? {
        guard let configuration = ConfigurationSource.load(isQuiet: isQuiet) else { return nil }
        let fakeAddresses = FakeAddresses(network: configuration.fakeNetwork)
        let size = (MemoryLayout<Runtime>.size + 63) / 64 * 64
        guard let place = map(size + SharedTable.pagesSize),
            let table = SharedTable(addressCount: fakeAddresses.capacity, pages: place + size),
            let inFlight = address(kernel_map_shared(HandshakesInFlight.size)), let audits = map(EpollAudits.size),
            let carried = map(CarriedSockets.ownSize),
            let firstHops = map(FirstHops.size(configuration)), let healthKeys = map(ProxyHealth.size(configuration)),
            let turnKeys = map(ListTurns.size(configuration)), let identity = map(IsolationName.ownSize)
        else {
            if !isQuiet { Log.write { $0.append("out of memory; no connection will be made") } }
            return nil
        }
        let runtime = place.bindMemory(to: Runtime.self, capacity: 1)
        runtime.initialize(
            to: Runtime(
                configuration: configuration, firstHops: FirstHops(configuration, memory: firstHops),
                fakeAddresses: fakeAddresses, table: table,
                inFlight: HandshakesInFlight(memory: inFlight, audits: audits),
                carried: CarriedSockets(memory: table.associations, own: carried),
                health: ProxyHealth(configuration, failures: table.failures, keys: healthKeys),
                turns: ListTurns(configuration, turns: table.turns, keys: turnKeys),
                isolation: IsolationName(configuration.isolation, tree: table.identity, own: identity)))
        return UnsafePointer(runtime)
    }

    private static func map(_ size: Int) -> UnsafeMutableRawPointer? {
        address(kernel_map(size))
    }

    private static func address(_ mapped: Int) -> UnsafeMutableRawPointer? {
        mapped < 0 ? nil : UnsafeMutableRawPointer(bitPattern: mapped)
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
