import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SharedTables

/// A datagram that the program sends by a relayed socket.
///
/// It is decided on once. A function that enters the socket's record passes it on, and the functions that leave it say
/// so: no thread waits while it has the record.
struct OutgoingDatagram {
    let message: UnsafePointer<msghdr>
    /// Of the call (send(2)).
    let flags: Int32
    let socket: Socket
    /// Of the socket's record, as found in this tick.
    let slot: Int
    let tick: UInt32
    let encapsulation: UnsafeMutablePointer<udp_encapsulation>
    let datagrams: UnsafePointer<Datagrams>

    private var table: RelayedSockets { datagrams.pointee.relayed }

    /// The destination, and the list that leads there.
    private struct Route {
        let destination: Datagram.Destination
        let list: Int
    }

    /// - Parameter decision: the one made before; nil if there is none.
    func send(as decision: Datagram.Decision?) -> Datagram.Sending {
        if let errno = MessageParts(of: message).fault { return .failed(errno) }
        let route: Route?
        switch NamedAddress(of: message, by: socket) {
        case .none: route = nil
        case .internet(let named):
            switch decision ?? Datagram.decide(on: named, socket, datagrams) {
            case .direct(let reason): return sendDirectly(to: named, reason)
            case .refuse(let errno): return .failed(errno)
            case .relay(let destination, let list): route = Route(destination: destination, list: list)
            }
        case .other: return .pass
        }
        return carry(along: route)
    }

    private func sendDirectly(to named: SocketAddress, _ reason: DirectReason) -> Datagram.Sending {
        guard let record = table.enter(slot) else { return .failed(.outOfBuffers) }
        defer { table.leaveUnchanged(slot) }
        if record.pointee.isShut { return .failed(.brokenPipe) }
        reason.log(.sending, by: socket, to: named, datagrams.pointee.names)
        return record.pointee.way.describe(towards: named, &encapsulation.pointee.way) ? .byWay : .pass
    }

    /// - Parameter decided: nil for a datagram to the socket's peer.
    @inline(__always)
    private func carry(along decided: Route?) -> Datagram.Sending {
        var openings = 0
        var tick = tick
        while true {
            guard let record = table.enter(slot) else { return .failed(.outOfBuffers) }
            guard let route = decided ?? peerRoute(record) else {
                table.leave(slot)
                return .pass
            }
            if record.pointee.isShut {
                table.leave(slot)
                return .failed(.brokenPipe)
            }
            if case .nameServer = route.destination {
                table.leave(slot)
                return ask()
            }
            if let errno = refusal {
                table.leave(slot)
                return .failed(errno)
            }
            record.pointee.association.check(tick)
            guard record.pointee.association.serves(route.list) else { return refuseList(record) }
            switch record.pointee.association.state {
            case .open: return encapsulate(for: route.destination, isForPeer: decided == nil, record, tick)
            case .none: if let errno = open(throughList: route.list, record, &openings) { return .failed(errno) }
            case .opening: if let sending = wait(for: route.destination, record) { return sending }
            case .failed(let errno): return tell(errno, record)
            }
            tick = descriptor_tick()
        }
    }

    private func ask() -> Datagram.Sending {
        var server: SocketAddress?
        if case .internet(let named) = NamedAddress(of: message, by: socket) { server = named }
        return NameServer.receive(message, for: server, socket, slot, flags: flags, datagrams)
    }

    private func peerRoute(_ record: UnsafeMutablePointer<RelayedSocket>) -> Route? {
        guard let destination = record.pointee.peer?.destination, let list = record.pointee.peer?.list else {
            return nil
        }
        return Route(destination: destination, list: list)
    }

    /// The error for options that are impossible with a header before each datagram. Programs know these errors from
    /// kernels and network cards without such options.
    private var refusal: Errno? {
        if flags & Int32(MSG_ZEROCOPY) != 0 { return .outOfBuffers }
        if flags & Int32(MSG_MORE) != 0 { return Errno(EOPNOTSUPP) }
        guard message.pointee.msg_controllen > 0 else { return nil }
        return ControlMessages(of: message).contains(level: SOL_UDP, type: UDP_SEGMENT) ? Errno(EIO) : nil
    }

    /// A socket has one association, and so the proxies of one list. Leaves the record.
    private func refuseList(_ record: UnsafeMutablePointer<RelayedSocket>) -> Datagram.Sending {
        defer { table.leave(slot) }
        if !record.pointee.isOtherListTold {
            record.pointee.isOtherListTold = true
            Log.write(.error, datagrams.pointee.configuration) { line in
                line.append("udp: one socket cannot send through two lists of proxies")
            }
        }
        return .failed(.networkUnreachable)
    }

    // MARK: The association

    /// Begins to open it. Leaves the record.
    private func open(
        throughList list: Int, _ record: UnsafeMutablePointer<RelayedSocket>, _ openings: inout Int
    ) -> Errno? {
        // An association that ends at once is opened once more, and not again.
        openings += 1
        if openings > 2 || datagrams.pointee.connections.pointee.refusal.isFresh {
            table.leave(slot)
            return .networkUnreachable
        }
        table.forgetQueue(slot)
        record.pointee.association.begin(throughList: list)
        table.leave(slot)
        return Datagram.openAssociation(socket, slot, throughList: list, datagrams)
    }

    /// Waits until it is open, or queues the datagram; nil if the record has to be looked at again. Leaves the record.
    private func wait(
        for destination: Datagram.Destination, _ record: UnsafeMutablePointer<RelayedSocket>
    ) -> Datagram.Sending? {
        if record.pointee.association.isAbandoned(datagrams.pointee.pendingTable) {
            record.pointee.association.detach()
            table.leave(slot)
            return nil
        }
        let connection = record.pointee.association.connection
        let waits = flags & Int32(MSG_DONTWAIT) == 0 && !socket.isNonBlocking
        // If the program has set no limit of its own.
        let patience = waits && socket.sendTimeout == nil ? record.pointee.association.patience : nil
        if !waits || patience == 0 {
            let refusal = connection == nil ? nil : queue(for: destination, record)
            table.leave(slot)
            connection?.step(datagrams.pointee.connections)
            if waits, connection == nil { return .failed(.outOfBuffers) }
            return refusal.map { .failed($0) } ?? .taken
        }
        let isOpenedHere = record.pointee.association.isOpenedByThisThread
        table.leave(slot)
        guard let connection else {
            // This is a signal handler that has interrupted the opening.
            if isOpenedHere { return .failed(.outOfBuffers) }
            // Another process opens it, or another thread has just begun to.
            return interruptible_sleep(1_000_000) ? nil : .failed(.outOfBuffers)
        }
        switch connection.wait(datagrams.pointee.connections, limitedBy: socket, .sendTimeout, patience: patience) {
        case .timeOver where patience == nil: return .failed(.again)
        case .interrupted: return .failed(.interrupted)
        case .established, .failed, .timeOver: return nil
        }
    }

    /// Reports that it could not be opened. Leaves the record.
    private func tell(_ errno: Errno, _ record: UnsafeMutablePointer<RelayedSocket>) -> Datagram.Sending {
        record.pointee.association.forgetFailure()
        // The error is reported here.
        if case .nobody = record.pointee.kernelPeer { _ = socket.takeError() }
        table.leave(slot)
        return .failed(errno)
    }

    /// Queues it until the association is open; an error if it cannot be sent then.
    private func queue(
        for destination: Datagram.Destination, _ record: UnsafeMutablePointer<RelayedSocket>
    ) -> Errno? {
        guard let header = writeHeader(for: destination, record) else { return .hostUnreachable }
        let parts = MessageParts(of: message)
        let size = header.count + parts.size
        guard size <= Reassembly.largestPayload else { return Errno(EMSGSIZE) }
        guard parts.isReadable else { return Errno(EFAULT) }
        record.pointee.expectAnswer(from: destination, headerLength: header.count)
        table.makeQueue(slot)?.append(count: size) { parts.copy(to: $0, behind: header) }
        return nil
    }

    // MARK: The encapsulation

    /// Encapsulates it, or sends it in fragments. Leaves the record.
    private func encapsulate(
        for destination: Datagram.Destination, isForPeer: Bool, _ record: UnsafeMutablePointer<RelayedSocket>,
        _ tick: UInt32
    ) -> Datagram.Sending {
        record.pointee.association.unanswered = tick
        if isForPeer, record.pointee.peerHeaderLength > 0, datagrams.pointee.configuration.udpFragmentSize == nil {
            record.pointee.putPeerHeader(in: encapsulation)
            table.leaveUnchanged(slot)
            return .encapsulated
        }
        let expected = record.pointee.expectedHeader
        let sending = putHeader(for: destination, record)
        if case .address = destination, expected == record.pointee.expectedHeader {
            table.leaveUnchanged(slot)
        } else {
            table.leave(slot)
        }
        return sending
    }

    private func putHeader(
        for destination: Datagram.Destination, _ record: UnsafeMutablePointer<RelayedSocket>
    ) -> Datagram.Sending {
        guard let header = writeHeader(for: destination, record) else { return .failed(.hostUnreachable) }
        record.pointee.expectAnswer(from: destination, headerLength: header.count)
        if let limit = datagrams.pointee.configuration.udpFragmentSize, MessageParts(of: message).size > limit {
            return sendFragments(behind: header, limit, record)
        }
        encapsulation.pointee.header_length = UInt32(truncatingIfNeeded: header.count)
        encapsulation.pointee.address_length = 0
        if case .relay = record.pointee.kernelPeer { return .encapsulated }
        let room = UnsafeMutableRawBufferPointer(
            start: encapsulation, count: MemoryLayout.size(ofValue: encapsulation.pointee.address))
        encapsulation.pointee.address_length = socklen_t(record.pointee.association.relay.write(to: room))
        return .encapsulated
    }

    /// Writes its header in place; nil if the name was replaced meanwhile.
    private func writeHeader(
        for destination: Datagram.Destination, _ record: UnsafeMutablePointer<RelayedSocket>
    ) -> UnsafeRawBufferPointer? {
        var header = BytesInPlace(
            UnsafeMutableRawBufferPointer(
                start: udp_encapsulation_header(encapsulation), count: DatagramHeader.capacity))
        switch destination {
        case .address(let address, let port):
            record.pointee.names.sent(to: address, port: port)
            DatagramHeader.write(address: address, port: port, to: &header)
        case .name(let name, let port):
            // In this order: a name that was just found keeps its number for a while.
            guard let host = datagrams.pointee.names.name(of: name.number),
                datagrams.pointee.names.version(of: name.number) == name.version
            else { return nil }
            record.pointee.names.sent(to: name, port: port)
            DatagramHeader.write(destination: Endpoint(host: .name(host), port: port), to: &header)
        case .nameServer:
            return nil
        }
        return header.bytes
    }

    /// Sends it in fragments: it is longer than the configured size (RFC 1928 section 7).
    private func sendFragments(
        behind header: UnsafeRawBufferPointer, _ limit: Int, _ record: UnsafeMutablePointer<RelayedSocket>
    ) -> Datagram.Sending {
        let parts = MessageParts(of: message)
        guard parts.isReadable else { return .failed(Errno(EFAULT)) }
        let size = header.count + parts.size
        guard let mapping = Mapping(size) else { return .failed(.outOfBuffers) }
        defer { mapping.unmap() }
        let datagram = UnsafeMutableRawBufferPointer(start: mapping.start, count: size)
        parts.copy(to: datagram, behind: header)
        do {
            try Datagram.sendFragments(of: datagram, headerLength: header.count, limit, socket, record)
            return .taken
        } catch {
            return .failed(error)
        }
    }
}

extension RelayedSocket {
    /// Copies the header for the kernel's own peer.
    fileprivate func putPeerHeader(in encapsulation: UnsafeMutablePointer<udp_encapsulation>) {
        let header = peerHeader
        withUnsafeBytes(of: header) {
            UnsafeMutableRawBufferPointer(start: udp_encapsulation_header(encapsulation), count: $0.count).copyMemory(
                from: $0)
        }
        encapsulation.pointee.header_length = UInt32(peerHeaderLength)
        encapsulation.pointee.address_length = 0
    }
}
