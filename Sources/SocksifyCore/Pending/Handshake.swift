import Addressing
import CKernel
import HTTPConnect
import ProxyConfig
import SOCKS4
import SOCKS5
import SocketTable

/// The handshakes of a chain on one socket, one proxy after the other: an engine, and how far its bytes are on their way.
///
/// It is stepped: `advance` goes as far as the socket allows, never waits, and can be called again by whoever finds
/// the socket ready. It holds no reference and allocates nothing, so that it can be put aside in a fixed place.
struct Handshake {
    /// What the program connected to.
    let peer: SocketAddress
    /// The family of the program's socket.
    let family: SocketFamily
    /// What the last proxy is asked for.
    private(set) var request: SOCKS5.Request
    /// The list that chains are taken from: its place in the configuration.
    let list: Int
    /// Milliseconds of `Clock` at the beginning.
    let started: Int
    /// When the TCP connection that is the present one was begun.
    private(set) var attempted: Int
    /// The proxies that are gone through.
    private(set) var chain: Chain
    /// The proxy that is spoken with: its place in the chain.
    private(set) var hop = 0
    /// Which of the first proxy's addresses is connected to.
    private(set) var address = 0
    /// The proxies that have failed for this connection.
    var failed: ProxySet
    /// When the answer that is waited for must be there; nil before the first wait for it.
    var deadline: Int?
    /// Whether the proxy that is spoken with has been asked for the next one, or for what is wanted, after it had
    /// answered something else.
    private(set) var isAskedFor = false

    private var stage = Stage.connecting
    private var engine = Engine.none
    private var outgoing = 0
    private var sent = 0
    private var received = 0
    private var wanted = 0
    /// Milliseconds of `Clock` when the last message had been sent; 0 where another process has sent it.
    private var asked = 0

    private enum Stage: UInt8 {
        /// The TCP connection to the first proxy is under way.
        case connecting
        /// A proxy is reached, which has been told nothing.
        case reached
        case sending
        /// An answer of known length is waited for.
        case receiving
        /// An answer is waited for that says itself where it ends.
        case receivingHead
        case established
    }

    private enum Engine {
        /// Nothing is said, as to a raw proxy.
        case none
        case socks5(SOCKS5.ClientHandshake)
        case socks4(SOCKS4.ClientHandshake)
        case http(HTTPConnect.ClientHandshake)
    }

    /// How far a step came.
    enum Progress {
        /// Until the socket is ready for what `readiness` says, nothing can be done.
        case waiting
        /// The connection is the program's.
        case established
    }

    /// - Parameter failed: the proxies that no chain may lead through.
    init(
        for request: SOCKS5.Request, peer: SocketAddress, family: SocketFamily, list: Int, chain: Chain,
        failed: ProxySet
    ) {
        self.peer = peer
        self.family = family
        self.request = request
        self.list = list
        self.chain = chain
        self.failed = failed
        started = Clock.now
        attempted = started
    }

    /// DST.ADDR and DST.PORT for the last proxy.
    var destination: Endpoint { request.destination }

    /// BND.ADDR and BND.PORT of the last proxy's reply; nil before it is there, and where the protocol has none.
    var boundAddress: Endpoint? {
        guard case .socks5(let engine) = engine else { return nil }
        return engine.boundAddress
    }

    /// Whether the TCP connection to the first proxy is still under way.
    var isConnecting: Bool {
        if case .connecting = stage { return true }
        return false
    }

    var isAtLastHop: Bool { hop + 1 >= chain.count }

    /// Whether what is waited for depends on the destination, and not on proxies alone.
    var waitsForDestination: Bool {
        guard !isConnecting, isAtLastHop else { return false }
        if case .socks5 = engine { return isAskedFor }
        return true
    }

    /// What the socket is to be ready for before there is anything to do.
    var readiness: Socket.Readiness {
        switch stage {
        case .receiving, .receivingHead: .toRead
        case .connecting, .reached, .sending, .established: .toWrite
        }
    }

    // MARK: Attempts

    /// The TCP connection is begun anew, to the next address of the first proxy.
    mutating func beginAtNextAddress() {
        let next = address + 1
        begin(chain)
        address = next
    }

    /// The TCP connection is begun anew, to the first proxy of another chain.
    mutating func begin(_ chain: Chain) {
        self.chain = chain
        (hop, address) = (0, 0)
        attempted = Clock.now
        deadline = nil
        stage = .connecting
        isAskedFor = false
    }

    /// The TCP connection to the first proxy stands.
    mutating func connected() {
        stage = .reached
    }

    // MARK: Steps

    /// Goes as far as the socket allows.
    ///
    /// - Parameter receivesAtOnce: whether to look for an answer right after its question: it cannot be there yet, but a
    ///   proxy may have sent it unasked, and nobody tells of it again.
    mutating func advance(
        on socket: Socket, _ buffers: HandshakeBuffers, _ runtime: UnsafePointer<Runtime>, receivesAtOnce: Bool
    ) throws(HandshakeError) -> Progress {
        while true {
            switch stage {
            case .connecting:
                return .waiting
            case .established:
                return .established
            case .reached:
                if request.command == .udpAssociate { request = .associating(overIPv6: socket.domain == AF_INET6) }
                try greet(buffers, runtime)
            case .sending:
                guard try send(on: socket, buffers) else { return .waiting }
                deadline = nil
                asked = Clock.now
                if case .http = engine { stage = .receivingHead } else { stage = .receiving }
                if !receivesAtOnce { return .waiting }
            case .receiving:
                guard try receive(on: socket, buffers) else { return .waiting }
                try takeAnswer(buffers, runtime)
            case .receivingHead:
                guard try receiveHead(on: socket, buffers) else { return .waiting }
            }
        }
    }

    /// The bytes that a call sent or received; nil when it would have to wait.
    private func count(_ call: () throws(Errno) -> Int) throws(HandshakeError) -> Int? {
        while true {
            do throws(Errno) {
                return try call()
            } catch {
                switch error {
                case .again: return nil
                case .interrupted: continue
                default: throw .kernel(error)
                }
            }
        }
    }

    /// Sends what is left of the message. False when the socket takes no more for now.
    private mutating func send(on socket: Socket, _ buffers: HandshakeBuffers) throws(HandshakeError) -> Bool {
        while sent < outgoing {
            let rest = UnsafeRawBufferPointer(rebasing: buffers.outgoing[sent..<outgoing])
            guard let count = try count({ () throws(Errno) in try socket.send(rest) }) else { return false }
            sent += count
        }
        return true
    }

    /// Receives up to the length that was asked for, never more: what follows is the program's. False when it is not
    /// all there yet.
    private mutating func receive(on socket: Socket, _ buffers: HandshakeBuffers) throws(HandshakeError) -> Bool {
        while received < wanted {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffers.incoming[received..<wanted])
            guard let count = try count({ () throws(Errno) in try socket.receive(into: room) }) else { return false }
            guard count > 0 else { throw endOfAnswer(buffers) }
            received += count
        }
        return true
    }

    /// The proxy closed the connection in place of the rest of its answer.
    private mutating func endOfAnswer(_ buffers: HandshakeBuffers) -> HandshakeError {
        let bytes = Span<UInt8>(_unsafeElements: buffers.received(received))
        switch engine {
        case .none: return .kernel(.connectionReset)
        case .socks5(var engine): return .socks5(engine.receiveEnd(after: bytes))
        case .socks4(var engine): return .socks4(engine.receiveEnd(after: bytes))
        case .http(var engine): return .http(engine.receiveEnd())
        }
    }

    /// Reads on in the head of an answer, and takes no byte from behind its end. False when that is not there yet.
    private mutating func receiveHead(
        on socket: Socket, _ buffers: HandshakeBuffers
    ) throws(HandshakeError) -> Bool {
        guard case .http(var engine) = engine else { throw .kernel(.aborted) }
        while true {
            let room = buffers.incoming
            guard let count = try count({ () throws(Errno) in try socket.peek(into: room) }) else { return false }
            guard count > 0 else { throw endOfAnswer(buffers) }
            let own: Int
            let action: HTTPConnect.ClientHandshake.Action
            do throws(HTTPConnect.ProtocolError) {
                (own, action) = try engine.receive(peeked: Span(_unsafeElements: buffers.received(count)))
            } catch {
                if error == .rejected(.gatewayTimeout), isAnsweredAtOnce { throw .refusedAtOnce(.gatewayTimeout) }
                throw .http(error)
            }
            self.engine = .http(engine)
            var left = own
            while left > 0 {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffers.incoming[..<left])
                guard let taken = try self.count({ () throws(Errno) in try socket.receive(into: room) }), taken > 0
                else { throw .kernel(.aborted) }
                left -= taken
            }
            if action == .established {
                goOn()
                return true
            }
        }
    }

    // MARK: Engines

    /// Begins the handshake with the proxy that was reached.
    private mutating func greet(
        _ buffers: HandshakeBuffers, _ runtime: UnsafePointer<Runtime>
    ) throws(HandshakeError) {
        guard let place = chain[hop] else { throw .kernel(.aborted) }
        let proxies = runtime.pointee.configuration.proxies
        let credentials = proxies[place].credentials
        guard let next = next(runtime) else { throw .unreachable }
        var message = OutgoingMessage(in: buffers)
        switch proxies[place].type {
        case .raw:
            engine = .none
            return goOn()
        case .socks5:
            var engine = SOCKS5.ClientHandshake(next, offersUsernamePassword: offersCredentials(to: place, runtime))
            if case .send(let length) = engine.start(writing: &message) { wanted = length }
            self.engine = .socks5(engine)
        case .socks4:
            var engine = SOCKS4.ClientHandshake(connectingTo: next.destination)
            do throws(SOCKS4.ProtocolError) {
                let user = credentials?.user ?? []
                if case .send(let length) = try engine.start(userID: user.span, writing: &message) { wanted = length }
            } catch {
                throw .socks4(error)
            }
            self.engine = .socks4(engine)
        case .http:
            var engine = HTTPConnect.ClientHandshake(connectingTo: next.destination)
            do throws(HTTPConnect.ProtocolError) {
                if let credentials {
                    _ = try engine.start(
                        user: credentials.user.span, password: credentials.password.span, writing: &message)
                } else {
                    _ = try engine.start(writing: &message)
                }
            } catch {
                throw .http(error)
            }
            self.engine = .http(engine)
        }
        beginSending(message)
    }

    /// What the proxy is asked for that is spoken with; nil where the next one is at a path.
    private func next(_ runtime: UnsafePointer<Runtime>) -> SOCKS5.Request? {
        if isAtLastHop { return request }
        guard let following = chain[hop + 1],
            case .network(let endpoint) = runtime.pointee.configuration.proxies[following].location
        else { return nil }
        return SOCKS5.Request(command: .connect, destination: endpoint)
    }

    private func offersCredentials(to place: Int, _ runtime: UnsafePointer<Runtime>) -> Bool {
        runtime.pointee.configuration.proxies[place].credentials != nil
            || runtime.pointee.configuration.isolation != .none
    }

    private mutating func beginSending(_ message: OutgoingMessage) {
        outgoing = message.count
        (sent, received) = (0, 0)
        wanted = min(wanted, HandshakeBuffers.longestAnswer)
        stage = .sending
    }

    /// The proxy has done what it was asked for.
    private mutating func goOn() {
        isAskedFor = false
        if isAtLastHop {
            stage = .established
        } else {
            hop += 1
            stage = .reached
        }
    }

    /// Hands the answer to the engine and goes on to the next message, or to the next proxy.
    private mutating func takeAnswer(
        _ buffers: HandshakeBuffers, _ runtime: UnsafePointer<Runtime>
    ) throws(HandshakeError) {
        let bytes = Span<UInt8>(_unsafeElements: buffers.received(wanted))
        switch engine {
        case .none, .http:
            throw .kernel(.aborted)
        case .socks4(var engine):
            do throws(SOCKS4.ProtocolError) {
                _ = try engine.receive(bytes)
            } catch {
                if error == .rejected(.identUnreachable), isAnsweredAtOnce { throw .refusedAtOnce(.identUnreachable) }
                throw .socks4(error)
            }
            goOn()
        case .socks5(var engine):
            var message = OutgoingMessage(in: buffers)
            let action: SOCKS5.ClientHandshake.Action
            do throws(SOCKS5.ProtocolError) {
                action = try engine.receive(bytes, writing: &message)
            } catch {
                throw .socks5(error)
            }
            self.engine = .socks5(engine)
            switch action {
            case .send(let length):
                isAskedFor = true
                wanted = length
                beginSending(message)
            case .sendUsernamePassword(let length):
                writeCredentials(to: &message, runtime)
                wanted = length
                beginSending(message)
            case .receive(let length):
                received = 0
                wanted = min(length, HandshakeBuffers.longestAnswer)
            case .established:
                goOn()
            }
        }
    }

    /// Lengths that do not fit do not pass the configuration's grammar; the proxy would refuse the empty message.
    private func writeCredentials(to message: inout OutgoingMessage, _ runtime: UnsafePointer<Runtime>) {
        guard let place = chain[hop] else { return }
        guard let credentials = runtime.pointee.configuration.proxies[place].credentials else {
            return runtime.pointee.isolation.writeCredentials(to: &message)
        }
        try? UsernamePasswordRequest.write(
            user: credentials.user.span, password: credentials.password.span, to: &message)
    }

    // MARK: Failures

    /// Whether the answer came sooner than anybody waits for a machine that does not answer: the kernel sends a second SYN
    /// after one second.
    private var isAnsweredAtOnce: Bool { Clock.now - asked < 1000 }

    /// Whose failure it is that the handshake cannot go on.
    enum Culprit {
        /// The proxy of this place in the configuration; it is down, or does not do what a proxy has to.
        case proxy(Int)
        /// The proxy of this place has no way to do what it is asked for, and may be well otherwise.
        case incapable(Int)
        /// What the last proxy was asked for, or the program.
        case other
    }

    /// A proxy that has answered, and then does not do what it is asked for, has no way to the next one, or to the
    /// target; before, it is the proxy itself that fails.
    func culprit(of error: HandshakeError) -> Culprit {
        guard let place = chain[hop] else { return .other }
        if error.isOfConfiguration { return .incapable(place) }
        if error.isRefusal || isAskedFor && error.isSilence {
            return chain[hop + 1].map { .proxy($0) } ?? .other
        }
        return error.isAbortion ? .other : .proxy(place)
    }
}

// MARK: Words

/// How processes that have the socket in common tell each other of it: numbers, and what is left of the messages. Only the
/// program's own connections are told of, which are under way or have failed.
extension Handshake {
    /// How many words it is written as at most.
    static var wordCount: Int {
        4 + WordCursor.endpointWordCount + 2 + Chain.capacity + 1 + 8 + 3 + 2 + 1 + HandshakeBuffers.wordCount
    }

    /// No time is later; milliseconds, of five hundred years.
    private static var latest: UInt64 { 1 << 44 }

    private static var isIPv6: UInt32 { 1 }
    private static var isIPv6Only: UInt32 { 2 }
    private static var isAskedFor: UInt32 { 4 }

    @inline(never)
    mutating func write(to words: inout WordCursor, _ buffers: HandshakeBuffers) {
        words.write(peer)
        words.write(request.destination)
        var flags = UInt32(stage.rawValue) << 8
        if family.domain == AF_INET6 { flags |= Handshake.isIPv6 }
        if family.isIPv6Only { flags |= Handshake.isIPv6Only }
        if isAskedFor { flags |= Handshake.isAskedFor }
        words.write(UInt32(truncatingIfNeeded: list), flags)
        words.write(UInt64(chain.count))
        for index in 0..<chain.count { words.write(UInt64(chain[index] ?? 0)) }
        words.write(UInt32(truncatingIfNeeded: hop), UInt32(truncatingIfNeeded: address))
        for index in failed.words.indices { words.write(failed.words[index]) }
        words.write(UInt64(started))
        words.write(UInt64(attempted))
        words.write(UInt64(deadline ?? 0))
        words.write(UInt32(truncatingIfNeeded: outgoing), UInt32(truncatingIfNeeded: sent))
        words.write(UInt32(truncatingIfNeeded: received), UInt32(truncatingIfNeeded: wanted))
        switch engine {
        case .none: words.write(0)
        case .socks5(let engine): words.write(engine.progress)
        case .socks4(let engine): words.write(engine.progress)
        case .http(let engine): words.write(engine.progress)
        }
        words.write(UnsafeRawBufferPointer(rebasing: buffers.outgoing[sent..<outgoing]))
        words.write(UnsafeRawBufferPointer(rebasing: buffers.incoming[..<received]))
    }

    /// nil for words that no handshake was written as; those that are read may still be half written.
    @inline(never)
    init?(from words: inout WordCursor, _ buffers: HandshakeBuffers, _ runtime: UnsafePointer<Runtime>) {
        peer = words.readSocketAddress()
        guard let destination = words.readEndpoint() else { return nil }
        request = SOCKS5.Request(command: .connect, destination: destination)
        let (list, flags) = words.readHalves()
        family = SocketFamily(
            domain: flags & Handshake.isIPv6 == 0 ? AF_INET : AF_INET6, isIPv6Only: flags & Handshake.isIPv6Only != 0)
        isAskedFor = flags & Handshake.isAskedFor != 0
        self.list = Int(list)
        let (lists, proxies) = (runtime.pointee.configuration.lists.count, runtime.pointee.configuration.proxies.count)
        guard self.list < lists, let stage = Stage(rawValue: UInt8(truncatingIfNeeded: flags >> 8)) else { return nil }
        self.stage = stage
        var chain = Chain()
        for _ in 0..<words.read(upTo: UInt64(Chain.capacity)) {
            let place = Int(words.read(upTo: UInt64(UInt16.max)))
            guard place < proxies, chain.append(place) else { return nil }
        }
        self.chain = chain
        let (hop, address) = words.readHalves()
        guard hop < chain.count else { return nil }
        (self.hop, self.address) = (Int(hop), Int(address))
        var failed = ProxySet().words
        for index in failed.indices { failed[index] = words.read() }
        self.failed = ProxySet(words: failed)
        started = Int(words.read(upTo: Handshake.latest))
        attempted = Int(words.read(upTo: Handshake.latest))
        let deadline = Int(words.read(upTo: Handshake.latest))
        if deadline > 0 { self.deadline = deadline }
        let (outgoing, sent) = words.readHalves()
        let (received, wanted) = words.readHalves()
        guard sent <= outgoing, outgoing <= buffers.outgoing.count, wanted <= HandshakeBuffers.longestAnswer,
            received <= HandshakeBuffers.longestAnswer
        else { return nil }
        (self.outgoing, self.sent) = (Int(outgoing), Int(sent))
        (self.received, self.wanted) = (Int(received), Int(wanted))
        guard takeUp(words.read(), runtime) else { return nil }
        words.read(into: UnsafeMutableRawBufferPointer(rebasing: buffers.outgoing[self.sent..<self.outgoing]))
        words.read(into: UnsafeMutableRawBufferPointer(rebasing: buffers.incoming[..<self.received]))
    }

    /// Takes the engine up where it was left. False when there is none that could have come so far.
    private mutating func takeUp(_ progress: UInt64, _ runtime: UnsafePointer<Runtime>) -> Bool {
        switch stage {
        case .connecting, .reached: return true
        case .established: return false
        case .sending, .receiving, .receivingHead: break
        }
        guard let place = chain[hop], let next = next(runtime) else { return false }
        switch runtime.pointee.configuration.proxies[place].type {
        case .raw: return false
        case .socks5:
            let offersCredentials = offersCredentials(to: place, runtime)
            guard
                let engine = SOCKS5.ClientHandshake(
                    next, offersUsernamePassword: offersCredentials, progress: progress)
            else { return false }
            self.engine = .socks5(engine)
        case .socks4:
            guard let engine = SOCKS4.ClientHandshake(connectingTo: next.destination, progress: progress)
            else { return false }
            self.engine = .socks4(engine)
        case .http:
            guard let engine = HTTPConnect.ClientHandshake(connectingTo: next.destination, progress: progress)
            else { return false }
            self.engine = .http(engine)
        }
        return true
    }
}
