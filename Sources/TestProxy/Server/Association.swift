import NIOCore

/// What a UDP association does with datagrams (RFC 1928, section 7), without I/O: a datagram in, those to send out.
///
/// This type carries out the faults that a `Script` wants in datagrams.
struct Association {
    /// A datagram to send to the client.
    enum Delivery: Equatable {
        case fromRelay(ByteBuffer)
        /// From a port that is not the relay's.
        case fromStranger(ByteBuffer)
    }

    private let script: Script.Datagrams
    /// The address of the control connection's other end: nobody else is served.
    private let clientAddress: Address?
    /// The port that is served; nil: that of the first datagram. A client may have announced it in the request.
    private var clientPort: UInt16?
    /// The client's address and port; nil before its first datagram.
    private(set) var client: SocketAddress?
    private(set) var record: AssociationRecord
    private var destinations: Set<Endpoint> = []
    private var fragments = FragmentQueue()
    private var outward: DatagramPath<Datagram>
    private var inward: DatagramPath<[ByteBuffer]>

    init(script: Script.Datagrams, relay: Endpoint, clientAddress: Address?, announcedPort: UInt16) {
        self.script = script
        self.clientAddress = clientAddress
        clientPort = announcedPort == 0 ? nil : announcedPort
        record = AssociationRecord(relay: relay)
        outward = DatagramPath(fate: script.fromClient)
        inward = DatagramPath(fate: script.toClient)
    }

    /// Whether the script wants the association ended.
    var isOver: Bool { script.closesAfter.map { record.fromClient + record.toClient >= $0 } ?? false }

    /// A datagram has come to the relay; gives those to send to targets.
    mutating func relayReceived(_ bytes: ByteBuffer, from source: SocketAddress) -> [Datagram] {
        guard !isOver else { return [] }
        guard serves(source) else {
            record.fromStrangers += 1
            return []
        }
        record.fromClient += 1
        keep(bytes)
        guard let datagram = Datagram(bytes) else {
            record.malformed += 1
            return []
        }
        if destinations.insert(datagram.endpoint).inserted { record.destinations.append(datagram.endpoint) }
        if datagram.fragment != 0 { record.fragments += 1 }
        guard let whole = fragments.add(datagram) else { return [] }
        if datagram.fragment != 0 { record.reassembled += 1 }
        return outward.pass(whole)
    }

    /// A datagram has come from a target, which the client calls `name`, or from somebody whom it did not call; gives
    /// those to send to the client.
    mutating func targetReceived(_ payload: ByteBuffer, from source: Endpoint, calledAs name: Endpoint?) -> [Delivery] {
        guard !isOver else { return [] }
        guard let name else {
            record.unasked += 1
            return []
        }
        record.toClient += 1
        let number = inward.count
        let datagram = Datagram(
            endpoint: script.source ?? (script.reportsNames && name.address.isName ? name : source), payload: payload)
        let fragments = script.fragmentation(number).map { fragmentation in
            let all = datagram.fragments(fragmentation.count)
            return fragmentation.order?.map { all[$0] } ?? all
        }
        let garbage = script.garbage(number).map { Delivery.fromRelay(ByteBuffer(bytes: $0)) }
        let strangers = (script.strangers?(number) ?? []).map { Delivery.fromStranger(ByteBuffer(bytes: $0)) }
        let sent = inward.pass((fragments ?? [datagram]).map(\.encoded))
        return garbage + strangers + sent.joined().map { .fromRelay($0) }
    }

    /// Whether it comes from the client. The client's first datagram settles the port.
    private mutating func serves(_ source: SocketAddress) -> Bool {
        if source == client { return true }
        guard clientAddress == nil || Address(source) == clientAddress, let port = source.port.map(UInt16.init) else {
            return false
        }
        if !record.clientPorts.contains(port) { record.clientPorts.append(port) }
        guard client == nil, clientPort ?? port == port else { return false }
        client = source
        return true
    }

    private mutating func keep(_ bytes: ByteBuffer) {
        guard script.kept > 0 else { return }
        record.lastFromClient.append(Array(bytes.readableBytesView))
        if record.lastFromClient.count > script.kept { record.lastFromClient.removeFirst() }
    }
}
