import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SocketTable

/// Datagrams that go out by a carried socket.
extension Datagram {
    /// What becomes of a datagram that is to be sent.
    public enum Sending {
        /// It is none of ours: libc sends it as it is.
        case pass
        /// It goes as it is, by the way that the envelope says.
        case byWay
        /// It goes in the envelope.
        case wrapped
        /// It was sent, answered, or waits to be sent.
        case taken
        case failed(Errno)
    }

    /// Before a datagram is sent by a socket that may be carried.
    static func wrap(
        _ descriptor: Int32, _ message: UnsafePointer<msghdr>, flags: Int32,
        _ envelope: UnsafeMutablePointer<socksify_envelope>, _ datagrams: UnsafePointer<Datagrams>
    ) -> Sending {
        let socket = Socket(descriptor: descriptor)
        let place: Int
        switch datagrams.pointee.carried.find(descriptor) {
        case .place(let found): place = found
        case .none: return .pass
        case .refused(let errno): return .failed(errno)
        }
        let name = message.pointee.msg_name?.assumingMemoryBound(to: sockaddr.self)
        let named: SocketAddress?
        switch NamedAddress(name, length: message.pointee.msg_namelen, of: socket) {
        case .none: named = nil
        case .internet(let address): named = address
        case .other: return .pass
        }
        var destination: Destination?
        var list = 0
        if let named {
            switch decide(on: named, socket, datagrams) {
            case .direct(let reason):
                guard let record = datagrams.pointee.carried.enter(place) else { return .failed(.outOfBuffers) }
                defer { datagrams.pointee.carried.leaveUnchanged(place) }
                if record.pointee.isShut { return .failed(.brokenPipe) }
                reason.log(.sending, by: socket, to: named, datagrams.pointee.names)
                return record.pointee.way.describe(towards: named, &envelope.pointee.way) ? .byWay : .pass
            case .refuse(let errno): return .failed(errno)
            case .carry(let decided, let decidedList): (destination, list) = (decided, decidedList)
            }
        }
        let isNonBlocking = flags & Int32(MSG_DONTWAIT) != 0
        let table = datagrams.pointee.carried
        var attempts = 0
        while true {
            guard let record = table.enter(place) else { return .failed(.outOfBuffers) }
            guard let destination = destination ?? record.pointee.peer?.destination else {
                table.leave(place)
                return .pass
            }
            if record.pointee.isShut {
                table.leave(place)
                return .failed(.brokenPipe)
            }
            if case .nameServer = destination {
                table.leave(place)
                return NameServer.receive(message, for: named, socket, place, flags: flags, datagrams)
            }
            if envelope.pointee.refusal != 0 {
                table.leave(place)
                return .failed(Errno(envelope.pointee.refusal))
            }
            if named == nil, let peer = record.pointee.peer { list = peer.list }
            let tick = coarse_tick()
            record.pointee.association.check(tick)
            guard record.pointee.association.serves(list) else {
                defer { table.leave(place) }
                return refuse(list, record, datagrams)
            }
            switch record.pointee.association.state {
            case .open:
                record.pointee.association.unanswered = tick
                if named == nil, record.pointee.peerHeaderLength > 0,
                    datagrams.pointee.configuration.udpFragmentSize == nil
                {
                    put(record.pointee.peerHeader, record.pointee.peerHeaderLength, in: envelope)
                    table.leaveUnchanged(place)
                    return .wrapped
                }
                let expected = record.pointee.expectedHeader
                let sending = put(message, to: destination, in: envelope, socket, record, datagrams)
                if case .address = destination, expected == record.pointee.expectedHeader {
                    table.leaveUnchanged(place)
                } else {
                    table.leave(place)
                }
                return sending
            case .none:
                // One that has ended at once is opened once more; then something is wrong.
                attempts += 1
                if attempts > 2 || datagrams.pointee.connections.pointee.refusal.isFresh {
                    table.leave(place)
                    return .failed(.networkUnreachable)
                }
                table.forgetQueue(place)
                record.pointee.association.begin(throughList: list)
                table.leave(place)
                if let errno = openAssociation(socket, place, throughList: list, datagrams) { return .failed(errno) }
            case .opening:
                if record.pointee.association.isAbandoned(datagrams.pointee.inFlight) {
                    record.pointee.association.detach()
                    table.leave(place)
                    continue
                }
                let errand = record.pointee.association.errand
                let waits = !isNonBlocking && !socket.isNonBlocking
                // Where the program has set no limit of its own.
                let patience = waits && socket.sendTimeout == nil ? record.pointee.association.patience : nil
                if !waits || patience == 0 {
                    let refusal = errand == nil ? nil : queue(message, to: destination, place, record, datagrams)
                    table.leave(place)
                    errand?.step(datagrams.pointee.connections)
                    if waits, errand == nil { return .failed(.outOfBuffers) }
                    return refusal.map { .failed($0) } ?? .taken
                }
                let isOpenedHere = record.pointee.association.isOpenedByThisThread
                table.leave(place)
                guard let errand else {
                    // A signal's handler has interrupted it.
                    if isOpenedHere { return .failed(.outOfBuffers) }
                    // Another process opens it, or another thread has just begun to.
                    guard interruptible_sleep(1_000_000) else { return .failed(.outOfBuffers) }
                    continue
                }
                switch errand.wait(datagrams.pointee.connections, limitedBy: socket, .sendTimeout, patience: patience) {
                case .timeOver where patience == nil: return .failed(.again)
                case .interrupted: return .failed(.interrupted)
                case .established, .failed, .timeOver: continue
                }
            case .failed(let errno):
                record.pointee.association.forgetFailure()
                // It is told here.
                if case .nobody = record.pointee.kernelPeer { _ = socket.takeError() }
                table.leave(place)
                return .failed(errno)
            }
        }
    }

    /// A socket has one association, and so the proxies of one list.
    private static func refuse(
        _ list: Int, _ record: UnsafeMutablePointer<CarriedSocket>, _ datagrams: UnsafePointer<Datagrams>
    ) -> Sending {
        if !record.pointee.isOtherListTold {
            record.pointee.isOtherListTold = true
            Log.write(.error, datagrams.pointee.configuration) { line in
                line.append("udp: one socket cannot send through two lists of proxies")
            }
        }
        return .failed(.networkUnreachable)
    }

    /// Puts a datagram for the kernel's own peer in its envelope.
    private static func put(
        _ header: InlineArray<22, UInt8>, _ length: UInt16, in envelope: UnsafeMutablePointer<socksify_envelope>
    ) {
        let start = envelope_header(envelope)
        for index in 0..<header.count { start[index] = header[index] }
        envelope.pointee.header_length = UInt32(length)
        envelope.pointee.address_length = 0
    }

    /// Puts a datagram in its envelope, or sends it in fragments.
    private static func put(
        _ message: UnsafePointer<msghdr>, to destination: Destination,
        in envelope: UnsafeMutablePointer<socksify_envelope>, _ socket: Socket,
        _ record: UnsafeMutablePointer<CarriedSocket>, _ datagrams: UnsafePointer<Datagrams>
    ) -> Sending {
        var header = HeaderInPlace(start: envelope_header(envelope))
        guard write(destination, to: &header, noting: &record.pointee.names, datagrams) else {
            return .failed(.hostUnreachable)
        }
        record.pointee.expectAnswer(from: destination, headerLength: header.count)
        if let limit = datagrams.pointee.configuration.udpFragmentSize, MessageParts(of: message).size > limit {
            let bytes = UnsafeBufferPointer(start: envelope_header(envelope), count: header.count)
            return sendFragments(message, bytes, limit, socket, record)
        }
        envelope.pointee.header_length = UInt32(truncatingIfNeeded: header.count)
        envelope.pointee.address_length = 0
        if case .relay = record.pointee.kernelPeer { return .wrapped }
        let room = UnsafeMutableRawBufferPointer(
            start: envelope, count: MemoryLayout.size(ofValue: envelope.pointee.address))
        envelope.pointee.address_length = socklen_t(record.pointee.association.relay.write(to: room))
        return .wrapped
    }

    /// Writes the header of a datagram; false for a name that was replaced meanwhile.
    private static func write(
        _ destination: Destination, to sink: inout some ByteSink, noting names: inout NamedDestinations,
        _ datagrams: UnsafePointer<Datagrams>
    ) -> Bool {
        switch destination {
        case .address(let address, let port):
            names.sent(to: address, port: port)
            DatagramHeader.write(address: address, port: port, to: &sink)
        case .name(let name, let port):
            // Asked in this order: what was just found has its number for a while.
            guard let host = datagrams.pointee.names.name(of: name.number),
                datagrams.pointee.names.version(of: name.number) == name.version
            else { return false }
            names.sent(to: name, port: port)
            DatagramHeader.write(destination: Endpoint(host: .name(host), port: port), to: &sink)
        case .nameServer:
            return false
        }
        return true
    }

    /// Keeps a datagram for when the association is there; an error number for one that cannot be sent then.
    private static func queue(
        _ message: UnsafePointer<msghdr>, to destination: Destination, _ place: Int,
        _ record: UnsafeMutablePointer<CarriedSocket>, _ datagrams: UnsafePointer<Datagrams>
    ) -> Errno? {
        let parts = MessageParts(of: message)
        var storage = InlineArray<262, UInt8>(repeating: 0)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return .outOfBuffers }
            var header = HeaderInPlace(start: start)
            guard write(destination, to: &header, noting: &record.pointee.names, datagrams) else {
                return .hostUnreachable
            }
            let count = header.count
            guard count + parts.size <= Reassembly.largestPayload else { return Errno(EMSGSIZE) }
            guard parts.isReadable else { return Errno(EFAULT) }
            record.pointee.expectAnswer(from: destination, headerLength: count)
            datagrams.pointee.carried.makeQueue(place)?.append(count: count + parts.size) { room in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                parts.copy(to: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
            }
            return nil
        }
    }

    // MARK: Fragments

    /// Sends a datagram that is longer than the proxy wants in fragments (RFC 1928 section 7).
    private static func sendFragments(
        _ message: UnsafePointer<msghdr>, _ header: UnsafeBufferPointer<UInt8>, _ limit: Int, _ socket: Socket,
        _ record: UnsafeMutablePointer<CarriedSocket>
    ) -> Sending {
        let parts = MessageParts(of: message)
        guard parts.isReadable else { return .failed(Errno(EFAULT)) }
        let size = header.count + parts.size
        let mapped = kernel_map(size)
        guard mapped >= 0, let memory = UnsafeMutableRawPointer(bitPattern: mapped) else {
            return .failed(.outOfBuffers)
        }
        defer { kernel_unmap(memory, size) }
        let datagram = UnsafeMutableRawBufferPointer(start: memory, count: size)
        datagram.copyMemory(from: UnsafeRawBufferPointer(header))
        parts.copy(to: UnsafeMutableRawBufferPointer(rebasing: datagram[header.count...]))
        do {
            try sendFragments(of: datagram, headerLength: header.count, limit, socket, record)
            return .taken
        } catch {
            return .failed(error)
        }
    }

    /// Sends a datagram that has its header in fragments, if it is longer than the proxy wants. It is changed meanwhile.
    private static func sendFragments(
        of datagram: UnsafeMutableRawBufferPointer, headerLength: Int, _ limit: Int, _ socket: Socket,
        _ record: UnsafeMutablePointer<CarriedSocket>
    ) throws(Errno) {
        guard let start = datagram.baseAddress,
            let fragments = Fragmentation(of: datagram.count - headerLength, limit: limit)
        else { throw Errno(EMSGSIZE) }
        for fragment in fragments {
            // The header stands before each fragment in turn, where what was sent already stood.
            let place = start + fragment.range.lowerBound
            if fragment.range.lowerBound > 0 {
                let before = start + (fragment.range.lowerBound - limit)
                place.copyMemory(from: before, byteCount: headerLength)
            }
            place.storeBytes(of: fragment.number, toByteOffset: 2, as: UInt8.self)
            try record.pointee.sendToRelay(
                UnsafeRawBufferPointer(start: place, count: headerLength + fragment.range.count), socket)
        }
    }

    /// Sends a datagram that has waited for the association.
    static func sendQueued(
        _ datagram: UnsafeMutableRawBufferPointer, _ socket: Socket, _ record: UnsafeMutablePointer<CarriedSocket>,
        _ datagrams: UnsafePointer<Datagrams>
    ) {
        let bytes = UnsafeRawBufferPointer(datagram).bindMemory(to: UInt8.self)
        guard let limit = datagrams.pointee.configuration.udpFragmentSize,
            let header = DatagramHeader.read(Span(_unsafeElements: bytes)), datagram.count - header.length > limit
        else {
            try? record.pointee.sendToRelay(UnsafeRawBufferPointer(datagram), socket)
            return
        }
        try? sendFragments(of: datagram, headerLength: header.length, limit, socket, record)
    }
}

/// A header that is written where it is sent from; there is room for the longest.
private struct HeaderInPlace: ByteSink {
    let start: UnsafeMutablePointer<UInt8>
    private(set) var count = 0

    init(start: UnsafeMutablePointer<UInt8>) {
        self.start = start
    }

    mutating func append(_ byte: UInt8) {
        guard count < DatagramHeader.capacity else { return }
        start[count] = byte
        count += 1
    }
}

extension CarriedSocket {
    /// Sends a datagram that has its header to the relay.
    func sendToRelay(_ datagram: UnsafeRawBufferPointer, _ socket: Socket) throws(Errno) {
        var address: SocketAddress?
        if case .relay = kernelPeer {} else { address = association.relay }
        try socket.sendDatagram(datagram, to: address)
    }
}
