import Addressing
import CLibC
import FakeDNS
import ProxyConfig
import SOCKS5
import SocketTable

/// Datagrams: which of them are carried, and how they go out.
public enum Datagram {
    // MARK: Decisions

    /// Where a carried datagram goes.
    enum Destination {
        case address(IPAddress, port: UInt16)
        /// A name, by its number.
        case name(NamedDestinations.Name, port: UInt16)
        /// A server of the DNS, in whose place the library answers.
        case nameServer
    }

    enum Decision {
        case pass
        case refuse(Errno)
        case carry(Destination)
    }

    static func decide(on peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Decision {
        if runtime.pointee.configuration.answersNames(at: peer.address, port: peer.port) { return .carry(.nameServer) }
        let destination: Destination
        switch runtime.pointee.meaning(of: peer.address) {
        case .name(let number):
            guard runtime.pointee.names.holds(number) else { return .refuse(.hostUnreachable) }
            guard runtime.pointee.configuration.udp == .associate else { return .refuse(.networkUnreachable) }
            var isIPv6 = false
            if case .v6 = peer.address.unmapped { isIPv6 = true }
            destination = .name(NamedDestinations.Name(number: number, isIPv6: isIPv6), port: peer.port)
        case .real:
            switch runtime.pointee.configuration.routeDatagram(to: peer.address, port: peer.port) {
            case .direct: return .pass
            case .refuse(.unspecifiedAddress): return .refuse(.connectionRefused)
            case .refuse(.unknownName): return .refuse(.hostUnreachable)
            case .refuse(.udpBlocked): return .refuse(.networkUnreachable)
            case .proxy(let address, let port): destination = .address(address.unmapped, port: port)
            }
        }
        switch runtime.pointee.findProxy() {
        case .itself: return .pass
        case .unknown: return .refuse(.hostUnreachable)
        case .known: break
        }
        // Only the last proxy of a chain has a relay, and only by way of the others could it be reached.
        return runtime.pointee.configuration.proxies.count == 1 ? .carry(destination) : .refuse(.networkUnreachable)
    }

    /// Whether the kernel may cut or join the datagrams of a socket (udp(7), UDP_SEGMENT, UDP_GRO): not where each may
    /// have to go with a header of its own.
    public static func allowsOffload(_ descriptor: Int32) -> Bool {
        switch Runtime.state {
        case .beingMade: true
        case .unusable: false
        case .ready(let runtime): runtime.pointee.configuration.udp == .direct
        }
    }

    /// Whether the descriptor's socket is carried.
    public static func isCarried(_ descriptor: Int32) -> Bool {
        Runtime.existing?.pointee.carried.place(of: descriptor) != nil
    }

    /// SO_RCVTIMEO in milliseconds; nil when it is not set.
    public static func receiveTimeout(_ descriptor: Int32) -> Int? {
        Socket(descriptor: descriptor).receiveTimeout
    }

    // MARK: Sends that name an address

    /// Decides on sendto(2), sendmsg(2) or one message of sendmmsg(2) on a socket that is not carried.
    ///
    /// MSG_FASTOPEN on a stream is a connect(2) that brings data: it succeeds when the socket is connected, and the data
    /// is then sent without address. For a datagram that is to be carried, the socket becomes one that is.
    public static func send(
        _ descriptor: Int32, to address: UnsafePointer<sockaddr>, length: socklen_t, flags: Int32
    ) -> Outcome {
        guard let peer = SocketAddress(address, length: length) else { return .pass }
        let socket = Socket(descriptor: descriptor)
        if flags & Int32(MSG_FASTOPEN) != 0, socket.isTCP == true {
            return Connect.connect(descriptor, to: address, length: length)
        }
        switch Runtime.state {
        case .beingMade: return .pass
        case .unusable: return refuse(socket, .networkUnreachable)
        case .ready(let runtime):
            switch decide(on: peer, runtime) {
            case .pass: return .pass
            case .refuse(let errno): return refuse(socket, errno)
            case .carry:
                guard socket.isDatagram else { return refuse(socket, .networkUnreachable) }
                guard runtime.pointee.carried.add(descriptor, domain: socket.domain) != nil else {
                    return .failed(.outOfBuffers)
                }
                return .pass
            }
        }
    }

    /// A connected stream ignores the address (send(2)); what is no socket, or none of IP, fails in libc's own words.
    private static func refuse(_ socket: Socket, _ errno: Errno) -> Outcome {
        socket.isTCP == false && socket.isInternet ? .failed(errno) : .pass
    }

    // MARK: connect

    /// connect(2) of a datagram socket, which asks nobody: the association is opened when there is something to send.
    static func connect(_ socket: Socket, to peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Outcome {
        let table = runtime.pointee.carried
        switch decide(on: peer, runtime) {
        case .pass:
            endCarrying(socket.descriptor, runtime)
            return .pass
        case .refuse(let errno): return .failed(errno)
        case .carry(let destination):
            // The kernel has the right words for an address that the socket has no form for.
            if socket.domain == AF_INET, case .v6 = peer.address { return .pass }
            if case .nameServer = destination {
            } else if runtime.pointee.carried.refusal.isFresh {
                return .failed(.networkUnreachable)
            }
            guard let place = table.add(socket.descriptor, domain: socket.domain), let record = table.enter(place)
            else { return .failed(.outOfBuffers) }
            defer { table.leave(place) }
            record.pointee.descriptor = socket.descriptor
            do {
                try record.pointee.connectInKernel(socket, towards: destination, runtime)
            } catch {
                return .failed(error)
            }
            record.pointee.peer = CarriedSocket.Peer(address: peer, destination: destination)
            return .succeeded
        }
    }

    /// connect(2) with AF_UNSPEC: the socket has no peer any more, and mostly another port, too, which the relay does not
    /// know.
    static func disconnect(_ descriptor: Int32) {
        guard let runtime = Runtime.existing, let place = runtime.pointee.carried.place(of: descriptor),
            let record = runtime.pointee.carried.enter(place)
        else { return }
        record.pointee.peer = nil
        record.pointee.kernelPeer = .none
        record.pointee.setPeerHeader(for: nil)
        record.pointee.ownAddress = nil
        let errand = record.pointee.association.errand
        record.pointee.association.forget()
        runtime.pointee.carried.leave(place)
        errand?.abandon(runtime)
    }

    /// The socket goes its own way from now on.
    private static func endCarrying(_ descriptor: Int32, _ runtime: UnsafePointer<Runtime>) {
        guard may_be_carried(descriptor) != 0, let place = runtime.pointee.carried.place(of: descriptor),
            let record = runtime.pointee.carried.enter(place)
        else { return }
        let errand = record.pointee.association.errand
        record.pointee.association.end()
        runtime.pointee.carried.remove(place)
        errand?.abandon(runtime)
    }

    /// The address that the program has connected the socket to; nil when it is not carried, or not connected.
    static func peer(of descriptor: Int32, _ runtime: UnsafePointer<Runtime>) -> SocketAddress? {
        guard may_be_carried(descriptor) != 0, let place = runtime.pointee.carried.place(of: descriptor),
            let record = runtime.pointee.carried.enter(place)
        else { return nil }
        defer { runtime.pointee.carried.leave(place) }
        return record.pointee.peer?.address
    }

    // MARK: Sending

    /// What becomes of a datagram that is to be sent.
    public enum Sending {
        /// It is none of ours: libc sends it as it is.
        case pass
        /// It goes in the envelope.
        case wrapped
        /// It was sent, answered, or waits to be sent.
        case taken
        case failed(Errno)
    }

    /// Before a datagram is sent by a socket that may be carried.
    public static func wrap(
        _ descriptor: Int32, _ message: UnsafePointer<msghdr>, flags: Int32,
        _ envelope: UnsafeMutablePointer<socksify_envelope>
    ) -> Sending {
        guard let runtime = Runtime.existing, let place = runtime.pointee.carried.place(of: descriptor) else {
            return .pass
        }
        let socket = Socket(descriptor: descriptor)
        let name = message.pointee.msg_name?.assumingMemoryBound(to: sockaddr.self)
        let named = SocketAddress(name, length: message.pointee.msg_namelen)
        // An address of another kind, or a wrong one, is the kernel's to judge.
        if name != nil, named == nil { return .pass }
        var destination: Destination?
        if let named {
            switch decide(on: named, runtime) {
            case .pass: return .pass
            case .refuse(let errno): return .failed(errno)
            case .carry(let decided): destination = decided
            }
        }
        let isNonBlocking = flags & Int32(MSG_DONTWAIT) != 0
        let table = runtime.pointee.carried
        var attempts = 0
        while true {
            guard let record = table.enter(place) else { return .failed(.outOfBuffers) }
            guard let destination = destination ?? record.pointee.peer?.destination else {
                table.leave(place)
                return .pass
            }
            if case .nameServer = destination {
                table.leave(place)
                return NameServer.receive(message, for: named, socket, place, flags: flags, runtime)
            }
            if envelope.pointee.refusal != 0 {
                table.leave(place)
                return .failed(Errno(envelope.pointee.refusal))
            }
            let tick = coarse_tick()
            record.pointee.association.check(tick)
            switch record.pointee.association.state {
            case .open:
                defer { table.leave(place) }
                record.pointee.association.unanswered = tick
                if named == nil, record.pointee.peerHeaderLength > 0,
                    runtime.pointee.configuration.udpFragmentSize == nil
                {
                    put(record.pointee.peerHeader, record.pointee.peerHeaderLength, in: envelope)
                    return .wrapped
                }
                return put(message, to: destination, in: envelope, socket, record, runtime)
            case .none:
                // One that has ended at once is opened once more; then something is wrong.
                attempts += 1
                if attempts > 2 || table.refusal.isFresh {
                    table.leave(place)
                    return .failed(.networkUnreachable)
                }
                table.forgetQueue(place)
                record.pointee.association.begin()
                table.leave(place)
                if let errno = openAssociation(socket, place, runtime) { return .failed(errno) }
            case .opening:
                if record.pointee.association.isAbandoned(runtime.pointee.inFlight) {
                    record.pointee.association.detach()
                    table.leave(place)
                    continue
                }
                let errand = record.pointee.association.errand
                if isNonBlocking || socket.isNonBlocking {
                    let refusal = errand == nil ? nil : queue(message, to: destination, place, record, runtime)
                    table.leave(place)
                    errand?.step(runtime)
                    return refusal.map { .failed($0) } ?? .taken
                }
                let isOpenedHere = record.pointee.association.isOpenedByThisThread
                table.leave(place)
                guard let errand else {
                    // A signal's handler has interrupted it.
                    if isOpenedHere { return .failed(.outOfBuffers) }
                    // Another process opens it, or another thread has just begun to.
                    kernel_sleep(1_000_000)
                    continue
                }
                switch errand.wait(runtime, limitedBy: socket, .sendTimeout) {
                case .timeOver: return .failed(.again)
                case .interrupted: return .failed(.interrupted)
                case .established, .failed: continue
                }
            case .failed(let errno):
                record.pointee.association.forgetFailure()
                table.leave(place)
                return .failed(errno)
            }
        }
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
        _ record: UnsafeMutablePointer<CarriedSocket>, _ runtime: UnsafePointer<Runtime>
    ) -> Sending {
        var header = HeaderInPlace(start: envelope_header(envelope))
        guard write(destination, to: &header, noting: &record.pointee.names, runtime) else {
            return .failed(.hostUnreachable)
        }
        record.pointee.expectAnswer(from: destination, headerLength: header.count)
        if let limit = runtime.pointee.configuration.udpFragmentSize, size(of: message) > limit {
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
        _ runtime: UnsafePointer<Runtime>
    ) -> Bool {
        switch destination {
        case .address(let address, let port):
            names.sent(to: address)
            DatagramHeader.write(address: address, port: port, to: &sink)
        case .name(let name, let port):
            names.sent(to: name, port: port)
            guard let host = runtime.pointee.names.name(of: name.number) else { return false }
            DatagramHeader.write(destination: Endpoint(host: .name(host), port: port), to: &sink)
        case .nameServer:
            return false
        }
        return true
    }

    /// Bytes of the longest datagram over IPv4 (udp(7)).
    private static var largestDatagram: Int { 65_507 }

    /// Keeps a datagram for when the association is there; an error number for one that cannot be sent then.
    private static func queue(
        _ message: UnsafePointer<msghdr>, to destination: Destination, _ place: Int,
        _ record: UnsafeMutablePointer<CarriedSocket>, _ runtime: UnsafePointer<Runtime>
    ) -> Errno? {
        var storage = InlineArray<262, UInt8>(repeating: 0)
        return withUnsafeMutableBytes(of: &storage) { bytes in
            guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return .outOfBuffers }
            var header = HeaderInPlace(start: start)
            guard write(destination, to: &header, noting: &record.pointee.names, runtime) else {
                return .hostUnreachable
            }
            let count = header.count
            guard count + size(of: message) <= largestDatagram else { return Errno(EMSGSIZE) }
            record.pointee.expectAnswer(from: destination, headerLength: count)
            runtime.pointee.carried.makeQueue(place)?.append(count: count + size(of: message)) { room in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                copy(message, to: UnsafeMutableRawBufferPointer(rebasing: room[count...]))
            }
            return nil
        }
    }

    // MARK: What a message carries

    static func size(of message: UnsafePointer<msghdr>) -> Int {
        var size = 0
        for index in 0..<message.pointee.msg_iovlen { size &+= message.pointee.msg_iov[index].iov_len }
        return size
    }

    /// Copies as much as there is room for; returns how much that is.
    @discardableResult
    static func copy(_ message: UnsafePointer<msghdr>, to room: UnsafeMutableRawBufferPointer) -> Int {
        var copied = 0
        for index in 0..<message.pointee.msg_iovlen {
            let part = message.pointee.msg_iov[index]
            let count = min(part.iov_len, room.count - copied)
            if count > 0, let start = part.iov_base {
                UnsafeMutableRawBufferPointer(rebasing: room[copied..<copied + count])
                    .copyMemory(from: UnsafeRawBufferPointer(start: start, count: count))
                copied += count
            }
        }
        return copied
    }

    // MARK: Fragments

    /// Sends a datagram that is longer than the proxy wants in fragments (RFC 1928 section 7).
    private static func sendFragments(
        _ message: UnsafePointer<msghdr>, _ header: UnsafeBufferPointer<UInt8>, _ limit: Int, _ socket: Socket,
        _ record: UnsafeMutablePointer<CarriedSocket>
    ) -> Sending {
        let size = header.count + size(of: message)
        let mapped = kernel_map(size)
        guard mapped >= 0, let memory = UnsafeMutableRawPointer(bitPattern: mapped) else {
            return .failed(.outOfBuffers)
        }
        defer { kernel_unmap(memory, size) }
        let datagram = UnsafeMutableRawBufferPointer(start: memory, count: size)
        datagram.copyMemory(from: UnsafeRawBufferPointer(header))
        copy(message, to: UnsafeMutableRawBufferPointer(rebasing: datagram[header.count...]))
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

    // MARK: Opening an association

    /// Begins to open it; the calling thread has said so in the record. An error number when that cannot be.
    private static func openAssociation(
        _ socket: Socket, _ place: Int, _ runtime: UnsafePointer<Runtime>
    ) -> Errno? {
        let table = runtime.pointee.carried
        do {
            if let record = table.enter(place) {
                record.pointee.descriptor = socket.descriptor
                table.leave(place)
            }
            let purpose = Purpose.association(place: place, cookie: table.cookie(of: place))
            let errand = try Errand.prepare(purpose, .associating, runtime)
            if let record = table.enter(place) {
                record.pointee.association.begin(control: errand.descriptor, cookie: errand.cookie)
                table.leave(place)
            }
            errand.begin(runtime)
            return nil
        } catch {
            if let record = table.enter(place) {
                record.pointee.association.detach()
                table.leave(place)
            }
            return error
        }
    }

    /// Sends a datagram that has waited for the association.
    private static func sendQueued(
        _ datagram: UnsafeMutableRawBufferPointer, _ socket: Socket, _ record: UnsafeMutablePointer<CarriedSocket>,
        _ runtime: UnsafePointer<Runtime>
    ) {
        let bytes = UnsafeRawBufferPointer(datagram).bindMemory(to: UInt8.self)
        guard let limit = runtime.pointee.configuration.udpFragmentSize,
            let header = DatagramHeader.read(Span(_unsafeElements: bytes)), datagram.count - header.length > limit
        else {
            try? record.pointee.sendToRelay(UnsafeRawBufferPointer(datagram), socket)
            return
        }
        try? sendFragments(of: datagram, headerLength: header.length, limit, socket, record)
    }

    /// What becomes of an association's connection.
    enum ControlFate {
        case kept
        case closed
        /// The program has closed the socket: what waited for the association has been sent, and is not to be lost.
        case lingers
    }

    /// The handshake of an association is over.
    ///
    /// - Parameter bound: BND of the reply; nil when it failed, with `errno`.
    static func concludeAssociation(
        _ place: Int, cookie: UInt64, control: Socket, bound: Endpoint?, errno: Errno?,
        _ runtime: UnsafePointer<Runtime>
    ) -> ControlFate {
        let table = runtime.pointee.carried
        guard table.cookie(of: place) == cookie, let record = table.enter(place) else { return .closed }
        guard record.pointee.association.errand?.descriptor == control.descriptor else {
            table.leave(place)
            return .closed
        }
        let socket = Socket(descriptor: record.pointee.descriptor)
        var isOpen = false
        do throws(Errno) {
            guard let bound, let proxy = control.peer else { throw errno ?? .networkUnreachable }
            let relay = Association.relay(bound, proxy: proxy.address.unmapped)
            guard relay.port != 0, let form = record.pointee.form(of: relay) else { throw .networkUnreachable }
            guard socket.cookie == cookie else { throw .aborted }
            record.pointee.association.opened(relay: form)
            if let peer = record.pointee.peer {
                try record.pointee.connectInKernel(socket, towards: peer.destination, runtime)
            }
            table.queue(place)?.hand { sendQueued($0, socket, record, runtime) }
            record.pointee.association.unanswered = coarse_tick()
            isOpen = true
        } catch {
            record.pointee.association.failed(error)
        }
        table.forgetQueue(place)
        guard record.pointee.isLingering else {
            table.leave(place)
            return isOpen ? .kept : .closed
        }
        record.pointee.association.detach()
        OwnDescriptor.close(socket.descriptor)
        table.remove(place)
        return isOpen ? .lingers : .closed
    }

    /// The kernel was told that nobody listens at the relay's port: the server may have gone. The program has not asked
    /// for it, and does not learn of it.
    public static func relayRefused(_ descriptor: Int32) {
        guard let runtime = Runtime.existing, let place = runtime.pointee.carried.place(of: descriptor),
            let record = runtime.pointee.carried.enter(place)
        else { return }
        record.pointee.association.checkNow()
        runtime.pointee.carried.leave(place)
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
    /// Has the kernel connect the socket to where what the program has connected it to is reached.
    mutating func connectInKernel(
        _ socket: Socket, towards destination: Datagram.Destination, _ runtime: UnsafePointer<Runtime>
    ) throws(Errno) {
        if case .nameServer = destination {
            try socket.connectDatagrams(to: findOwnAddress(socket))
            kernelPeer = .own
            setPeerHeader(for: nil)
        } else if case .open = association.state {
            try socket.connectDatagrams(to: association.relay)
            kernelPeer = .relay
            setPeerHeader(for: destination)
        } else {
            guard let proxy = runtime.pointee.firstHop.address(for: .unspecified(domain)) else {
                throw .networkUnreachable
            }
            try socket.connectDatagrams(to: proxy)
            kernelPeer = .proxy
            setPeerHeader(for: nil)
        }
    }

    /// The socket's own address, by which it reaches itself. A socket without a port gets one.
    mutating func findOwnAddress(_ socket: Socket) throws(Errno) -> SocketAddress {
        if let ownAddress { return ownAddress }
        var name = try socket.name
        if name.port == 0 {
            try socket.bind(to: name)
            name = try socket.name
        }
        if name.address.isUnspecified {
            let loopback = IPv4Address(127, 0, 0, 1)
            switch name.address {
            case .v4: name.address = .v4(loopback)
            case .v6:
                name.address = .v6(socket.isIPv6Only ? IPv6Address(high: 0, low: 1) : IPv6Address(mapping: loopback))
            }
        }
        ownAddress = name
        return name
    }

    /// Sends a datagram that has its header to the relay.
    func sendToRelay(_ datagram: UnsafeRawBufferPointer, _ socket: Socket) throws(Errno) {
        var address: SocketAddress?
        if case .relay = kernelPeer {} else { address = association.relay }
        try socket.sendDatagram(datagram, to: address)
    }
}
