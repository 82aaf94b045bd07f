import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SharedTables

/// Datagrams that arrive at a relayed socket.
extension Datagram {
    /// Before a receiving call; steps the internal connections first. Passes if the socket is not relayed.
    static func prepareToReceive(
        _ descriptor: Int32, _ plan: UnsafeMutablePointer<udp_receive_plan>,
        _ datagrams: UnsafePointer<Datagrams>
    ) -> HookResult {
        switch datagrams.pointee.relayed.find(descriptor) {
        case .none: return .pass
        case .refused(let errno): return .failed(errno)
        case .slot(let slot):
            if internal_any() != 0 { datagrams.pointee.pendingTable.stepInternal(datagrams.pointee.connections) }
            datagrams.pointee.relayed.prepare(plan, slot)
            return .succeeded
        }
    }

    /// Decapsulates a datagram; false if the program is not to see it.
    ///
    /// Accepts datagrams only from the relay, from the socket itself (the library's answers in place of a name server),
    /// and from an address that the program reaches directly.
    static func decapsulate(
        _ datagram: UnsafePointer<udp_received>, _ decapsulated: UnsafeMutablePointer<udp_decapsulated>,
        _ datagrams: UnsafePointer<Datagrams>
    ) -> Bool {
        let slot = Int(datagram.pointee.slot)
        guard let record = datagrams.pointee.relayed.enter(slot) else { return false }
        defer { datagrams.pointee.relayed.leave(slot) }
        guard let source = source(of: datagram, record) else { return false }
        let isFromErrorQueue = datagram.pointee.flags & Int32(MSG_ERRQUEUE) != 0
        let isOwn = isOwnAddress(source, record)
        if record.pointee.association.isForgottenRelay(source) { return false }
        guard isOwn || record.pointee.association.isRelay(source) else {
            return isFromErrorQueue ? false : passDirect(source, record, decapsulated, datagram, datagrams)
        }
        let start = Span(_unsafeStart: datagram.pointee.start, count: datagram.pointee.known)
        guard let header = DatagramHeader.read(start) else { return false }
        // A fragment that is only looked at (MSG_PEEK), and truncated, stays in the queue.
        let isPartial = datagram.pointee.flags & Int32(MSG_PEEK) != 0 && datagram.pointee.length > datagram.pointee.kept
        if header.fragment != 0, !isOwn, !isFromErrorQueue, !isPartial {
            return join(datagram, header, record, slot, decapsulated, datagrams)
        }
        let seems = record.pointee.apparentSource(header, start, isNamed: isOwn || isFromErrorQueue, datagrams)
        guard let seems, isFromErrorQueue || accepts(seems, record, isOwn: isOwn) else { return false }
        record.pointee.association.unanswered = 0
        record.pointee.expect(headerLength: header.length)
        decapsulated.pointee.whole = nil
        decapsulated.pointee.header_length = UInt32(truncatingIfNeeded: header.length)
        show(seems, datagram, decapsulated)
        return true
    }

    /// Waits while another thread looks at the queue, but not long: it may have left by longjmp(3).
    public static func beginLook(_ word: UnsafeMutablePointer<UInt64>) {
        _ = OwnerLock(word, isShared: true).acquire()
    }

    public static func endLook(_ word: UnsafeMutablePointer<UInt64>) {
        OwnerLock(word, isShared: true).release()
    }

    /// The sender. The kernel was not asked for that of a connected socket, nor if the program does not want it.
    private static func source(
        of datagram: UnsafePointer<udp_received>, _ record: UnsafeMutablePointer<RelayedSocket>
    ) -> SocketAddress? {
        if datagram.pointee.source_length == 0 {
            if case .own = record.pointee.kernelPeer { return record.pointee.ownAddress }
            return record.pointee.association.relay
        }
        let start = UnsafeRawPointer(datagram.pointee.source).assumingMemoryBound(to: sockaddr.self)
        return SocketAddress(start, length: datagram.pointee.source_length)
    }

    private static func show(
        _ source: SocketAddress, _ datagram: UnsafePointer<udp_received>,
        _ decapsulated: UnsafeMutablePointer<udp_decapsulated>
    ) {
        guard datagram.pointee.wants_source != 0 else { return }
        let room = UnsafeMutableRawBufferPointer(
            start: datagram.pointee.source, count: MemoryLayout<sockaddr_storage>.size)
        decapsulated.pointee.source_length = socklen_t(source.write(to: room))
    }

    /// A datagram without a header, from an address that the program reaches directly.
    private static func passDirect(
        _ source: SocketAddress, _ record: UnsafeMutablePointer<RelayedSocket>,
        _ decapsulated: UnsafeMutablePointer<udp_decapsulated>, _ datagram: UnsafePointer<udp_received>,
        _ datagrams: UnsafePointer<Datagrams>
    ) -> Bool {
        let socket = Socket(descriptor: record.pointee.descriptor)
        guard record.pointee.peer == nil, mayComeDirectly(source, to: record, socket, datagrams) else { return false }
        decapsulated.pointee.whole = nil
        decapsulated.pointee.header_length = 0
        decapsulated.pointee.source_length = datagram.pointee.source_length
        return true
    }

    /// Whether the program may see it: from an address that it reaches directly; and, at a port that others may know,
    /// from any address that the socket has not sent to through the proxy, since a stranger could speak in its name.
    /// Not if the socket was bound to a device: the kernel does not say by which one it came.
    private static func mayComeDirectly(
        _ source: SocketAddress, to record: UnsafeMutablePointer<RelayedSocket>, _ socket: Socket,
        _ datagrams: UnsafePointer<Datagrams>
    ) -> Bool {
        if case .direct = RoutedDestination.of(source.address, port: source.port, .udp, datagrams.pointee.names) {
            return true
        }
        guard record.pointee.hadPort, record.pointee.way.device == 0,
            !record.pointee.names.wasSent(to: source.address.unmapped, port: source.port)
        else { return false }
        return note(source, socket, datagrams)
    }

    /// A datagram has come directly to a socket that is not relayed: its answer goes direct as well.
    static func received(_ descriptor: Int32, from source: SocketAddress, _ datagrams: UnsafePointer<Datagrams>) {
        if case .direct = RoutedDestination.of(source.address, port: source.port, .udp, datagrams.pointee.names) {
            return
        }
        _ = note(source, Socket(descriptor: descriptor), datagrams)
    }

    /// Remembers the source of a datagram; false if no datagram can come from there.
    private static func note(_ source: SocketAddress, _ socket: Socket, _ datagrams: UnsafePointer<Datagrams>) -> Bool {
        guard case .real = datagrams.pointee.names.meaning(of: source.address),
            !datagrams.pointee.configuration.answersNames(at: source.address, port: source.port)
        else { return false }
        datagrams.pointee.direct.note(source, socket)
        return true
    }

    // MARK: Sources

    // By pointer: a record is long, and these are asked for each datagram.

    private static func isOwnAddress(_ source: SocketAddress, _ record: UnsafeMutablePointer<RelayedSocket>) -> Bool {
        guard let own = record.pointee.ownAddress else { return false }
        return own.port == source.port && own.address.unmapped == source.address.unmapped
    }

    /// Whether the program receives datagrams from there: a connected socket only from its peer.
    private static func accepts(
        _ source: SocketAddress, _ record: UnsafeMutablePointer<RelayedSocket>, isOwn: Bool
    ) -> Bool {
        guard let peer = record.pointee.peer else { return true }
        guard peer.address.port == source.port else { return false }
        if peer.address.address.unmapped == source.address.unmapped { return true }
        // The peer is a name, and the socket has sent to no other.
        if case .name = peer.destination { return !isOwn }
        return false
    }

    // MARK: Fragments

    private static func join(
        _ datagram: UnsafePointer<udp_received>, _ header: DatagramHeader.Received,
        _ record: UnsafeMutablePointer<RelayedSocket>, _ slot: Int,
        _ decapsulated: UnsafeMutablePointer<udp_decapsulated>, _ datagrams: UnsafePointer<Datagrams>
    ) -> Bool {
        // One that is only looked at is taken away, and comes here when it is.
        guard let fragments = datagrams.pointee.relayed.makeFragments(slot) else { return false }
        guard let length = fragments.join(datagram, header) else { return false }
        let joined = Span(_unsafeStart: fragments.start, count: length)
        guard let whole = DatagramHeader.read(joined),
            let seems = record.pointee.apparentSource(whole, joined, isNamed: false, datagrams),
            accepts(seems, record, isOwn: false)
        else { return false }
        decapsulated.pointee.whole = fragments.start + whole.length
        decapsulated.pointee.length = length - whole.length
        show(seems, datagram, decapsulated)
        return true
    }
}

extension RelayedSocket {
    /// The program's address for the source in a header, in the form of the socket's family; nil if there is none.
    ///
    /// - Parameter isNamed: whether the header has an address that the program itself has named.
    fileprivate mutating func apparentSource(
        _ header: DatagramHeader.Received, _ datagram: Span<UInt8>, isNamed: Bool, _ datagrams: UnsafePointer<Datagrams>
    ) -> SocketAddress? {
        if let address = header.address {
            if !isNamed, let name = names.name(of: address.unmapped, port: header.port),
                datagrams.pointee.names.version(of: name.number) == name.version
            {
                return form(of: datagrams.pointee.names.address(of: name, port: header.port))
            }
            return form(of: SocketAddress(address: address, port: header.port))
        }
        guard let text = header.name(in: datagram) else { return nil }
        if let address = IPAddress(parsing: text.bytes) {
            return form(of: SocketAddress(address: address, port: header.port))
        }
        guard NameSyntax.isOfHostElsewhere(text.bytes), let number = datagrams.pointee.names.number(of: text),
            let version = datagrams.pointee.names.version(of: number)
        else { return nil }
        let name = NamedDestinations.Name(number: number, version: version, isIPv6: names.isIPv6(number))
        return form(of: datagrams.pointee.names.address(of: name, port: header.port))
    }
}

extension Names {
    /// The reserved address of a name.
    fileprivate func address(of name: NamedDestinations.Name, port: UInt16) -> SocketAddress {
        SocketAddress(
            address: name.isIPv6
                ? .v6(fakeAddresses.ipv6(number: name.number)) : .v4(fakeAddresses.ipv4(number: name.number)),
            port: port)
    }
}
