import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SharedTables
import Synchronization

/// The state of the library in a process. The first call that needs it makes it; it stays until the process ends, and
/// only its tables change, which are made for concurrent use.
///
/// No thread waits for another one's: threads that need it at the same time make one each, as does a signal handler
/// that interrupts the reading of the configuration. The first one that is complete becomes the process'.
///
/// Not copyable: a copy would count references to everything in the configuration.
struct Runtime: ~Copyable {
    let connections: UnsafePointer<Connections>
    let datagrams: UnsafePointer<Datagrams>

    var names: Names { _read { yield connections.pointee.names } }
    var proxies: Proxies { _read { yield connections.pointee.names.proxies } }
    var configuration: Configuration { _read { yield connections.pointee.names.proxies.configuration } }
    var proxyAddresses: ProxyAddresses { connections.pointee.proxyAddresses }
    var table: SharedTable { connections.pointee.table }
    var sockets: PeerTable<SharedMemory> { connections.pointee.sockets }
    var originals: OriginalSockets<SharedMemory> { connections.pointee.originals }
    var pendingTable: PendingTable { connections.pointee.pendingTable }
    var handover: StreamHandover {
        StreamHandover(streams: connections.pointee.streams, sockets: connections.pointee.sockets)
    }
    var relayed: RelayedSockets { datagrams.pointee.relayed }

    /// The state for a call.
    enum State {
        case ready(UnsafePointer<Runtime>)
        /// There is no usable configuration: no connection is made.
        case unusable
        /// Descriptors or memory are missing: this call fails, and the next one tries again.
        case short(Errno)
    }

    /// The process' runtime, made if necessary.
    static var state: State {
        if let known { return known }
        switch make(isQuiet: false) {
        case .success(let made): publish(made)
        case .failure(.unusable):
            _ = atomic(process_runtime_word()).pointee.compareExchange(
                expected: 0, desired: unusableMark, ordering: .relaxed)
        case .failure(.short(let errno)): return known ?? .short(errno)
        }
        return known ?? .unusable
    }

    /// Makes the runtime, if it does not exist yet and nothing prevents it.
    static func prepare() {
        guard known == nil, case .success(let made) = make(isQuiet: true) else { return }
        publish(made)
    }

    /// Makes it the process' runtime, unless another one is by now.
    private static func publish(_ made: Made) {
        // Nothing else takes as much of the stack as reading a configuration.
        library_stack_trim()
        let word = UInt64(UInt(bitPattern: made.runtime))
        let (isFirst, _) = atomic(process_runtime_word()).pointee.compareExchange(
            expected: 0, desired: word, ordering: .acquiringAndReleasing)
        guard !isFirst else { return }
        // The first pages of the table stay mapped: another thread may be about to mark it as passed on.
        made.runtime.pointee.pendingTable.unmap()
        heap_discard(made.heap)
    }

    /// The runtime, if it exists.
    static var existing: UnsafePointer<Runtime>? {
        guard case .ready(let runtime)? = known else { return nil }
        return runtime
    }

    private static var known: State? {
        let word = atomic(process_runtime_word()).pointee.load(ordering: .acquiring)
        guard word != unusableMark else { return .unusable }
        return UnsafePointer<Runtime>(bitPattern: UInt(word)).map { .ready($0) }
    }

    /// Marks a runtime that cannot be made. No address is 1.
    private static var unusableMark: UInt64 { 1 }

    /// Makes it in a heap of its own. Logs a failure once.
    private static func make(isQuiet: Bool) -> Result<Made, ConfigurationLoader.Failure> {
        var making = Making(isQuiet: isQuiet)
        let heap = heap_make(makeRuntime, &making)
        var failure = ConfigurationLoader.Failure.short(.outOfMemory)
        if let heap {
            switch making.result {
            case .success(let runtime): return .success(Made(runtime: runtime, heap: heap))
            case .failure(let reason): failure = reason
            }
            heap_discard(heap)
        }
        if case .short(.outOfMemory) = failure, !isQuiet {
            Log.writeOnce(.noMemory) { $0.append("out of memory; no connection is made until there is some") }
        }
        return .failure(failure)
    }

    private struct Made {
        let runtime: UnsafePointer<Runtime>
        let heap: OpaquePointer
    }

    /// The state of the making, within its heap.
    fileprivate struct Making {
        let isQuiet: Bool
        var result = Result<UnsafePointer<Runtime>, ConfigurationLoader.Failure>.failure(.short(.outOfMemory))
    }

    fileprivate static func makeInHeap(isQuiet: Bool) -> Result<UnsafePointer<Runtime>, ConfigurationLoader.Failure> {
        let (configuration, places): (Configuration, DecisionPlaces)
        switch ConfigurationLoader.load(isQuiet: isQuiet) {
        case .success(let loaded): (configuration, places) = (loaded.configuration, loaded.places)
        case .failure(let failure): return .failure(failure)
        }
        let fakeAddresses = FakeAddresses(network: configuration.fakeNetwork)
        var own = PrivateMemory(
            MemoryLayout<Runtime>.size, MemoryLayout<Connections>.size, MemoryLayout<Datagrams>.size,
            SharedTable.notesSize(RelayedSockets.sharedSizes), PendingTable.notesSize, EpollAudits.size,
            PendingTable.copiesSize, EncapsulatedStreams.ownSize, AssociationRefusal.ownSize, RelayedSockets.ownSize,
            DirectDatagrams.ownSize,
            ProxyAddresses.size(configuration), ProxyHealth.size(configuration), RoundRobinCursors.size(configuration),
            StreamIsolation.ownSize)
        let runtime = own.take(for: Runtime.self)
        let connections = own.take(for: Connections.self)
        let datagrams = own.take(for: Datagrams.self)
        let proxyAddresses = ProxyAddresses(configuration, memory: own.take(ProxyAddresses.size(configuration)))
        // No allocation from here on: the heap does not know these mappings.
        guard
            let pendingTable = PendingTable(
                notes: own.take(PendingTable.notesSize), audits: own.take(EpollAudits.size),
                copies: own.take(PendingTable.copiesSize))
        else { return .failure(.short(.outOfMemory)) }
        guard
            let table = SharedTable(
                addressCount: fakeAddresses.capacity, associations: RelayedSockets.sharedSizes,
                notes: own.take(SharedTable.notesSize(RelayedSockets.sharedSizes)))
        else {
            pendingTable.unmap()
            return .failure(.short(.outOfMemory))
        }
        connections.initialize(
            to: Connections(
                names: Names(
                    proxies: Proxies(
                        configuration: configuration, places: places, proxyAddresses: proxyAddresses,
                        health: ProxyHealth(
                            configuration, failures: table.failures, keys: own.take(ProxyHealth.size(configuration))),
                        cursors: RoundRobinCursors(
                            configuration, cursors: table.cursors, keys: own.take(RoundRobinCursors.size(configuration))
                        ),
                        isolation: StreamIsolation(
                            configuration.isolation, tree: table.identity, own: own.take(StreamIsolation.ownSize))),
                    fakeAddresses: fakeAddresses, table: table.names, addressNames: table.addressNames),
                table: table, pendingTable: pendingTable,
                streams: EncapsulatedStreams(own: own.take(EncapsulatedStreams.ownSize)),
                refusal: AssociationRefusal(own: own.take(AssociationRefusal.ownSize)), owners: .ofThisProcess))
        datagrams.initialize(
            to: Datagrams(
                connections: UnsafePointer(connections),
                relayed: RelayedSockets(
                    slots: table.associationSlots, records: table.associations,
                    own: own.take(RelayedSockets.ownSize)),
                direct: DirectDatagrams(own: own.take(DirectDatagrams.ownSize))))
        runtime.initialize(
            to: Runtime(connections: UnsafePointer(connections), datagrams: UnsafePointer(datagrams)))
        return .success(UnsafePointer(runtime))
    }

    /// The private memory of a process, in one piece.
    private struct PrivateMemory {
        private var memory: UnsafeMutableRawPointer

        /// Room for parts of these sizes.
        init(_ sizes: Int...) {
            var size = 0
            for part in sizes { size += PrivateMemory.padded(part) }
            memory = heap_zeroed(size)
        }

        mutating func take(_ size: Int) -> UnsafeMutableRawPointer {
            defer { memory += PrivateMemory.padded(size) }
            return memory
        }

        /// Room for a part that is made later.
        mutating func take<Part: ~Copyable>(for part: Part.Type) -> UnsafeMutablePointer<Part> {
            take(MemoryLayout<Part>.size).bindMemory(to: Part.self, capacity: 1)
        }

        private static func padded(_ size: Int) -> Int { (size + 63) / 64 * 64 }
    }
}

/// Called by `heap_make`; stores the result.
private func makeRuntime(_ making: UnsafeMutableRawPointer) {
    let making = making.assumingMemoryBound(to: Runtime.Making.self)
    making.pointee.result = Runtime.makeInHeap(isQuiet: making.pointee.isQuiet)
}
