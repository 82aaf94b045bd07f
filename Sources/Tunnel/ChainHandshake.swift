import Addressing
import HTTPConnect
import ProxyConfig
import SOCKS4
import SOCKS5

/// The handshakes of a chain over one byte stream, one proxy after the other: the state machine of the current proxy,
/// and the progress of its messages.
///
/// `advance` goes as far as the stream allows and never waits; any thread may call it again when the stream is ready.
/// The value holds no reference and no secret, and allocates nothing, so that it can be stored in a fixed location.
///
///     reached ─ sending → receiving ┬→ established
///        ↑         ↑                │
///        │         └─ next message ─┤
///        └─────────── next proxy ───┘
public struct ChainHandshake: Sendable {
    /// The request to the last proxy.
    public private(set) var request: SOCKS5.Request
    /// The proxies.
    public private(set) var chain: Chain
    /// The index of the current proxy in the chain.
    public private(set) var hop = 0
    /// Whether the current proxy has answered an earlier message and then received the request.
    public private(set) var isAskedFor = false

    private var stage = Stage.reached
    private var engine = Engine.none
    private var outgoing = 0
    private var sent = 0
    private var received = 0
    private var wanted = 0
    private var securityWaitsToSend = false

    private enum Stage: UInt8 {
        /// Connected to a proxy, and nothing sent yet.
        case reached
        case sending
        /// Waiting for an answer, of known length or self-delimiting.
        case receiving
        case established
        /// Establishing a security context.
        case securing
    }

    private enum Engine {
        /// No handshake, for a raw proxy.
        case none
        case socks5(SOCKS5.ClientHandshake)
        case socks4(SOCKS4.ClientHandshake)
        case http(HTTPConnect.ClientHandshake)
    }

    /// The result of a step.
    public enum Progress {
        /// The stream must become ready first: see `waitsToReceive`.
        case waiting
        /// A message was sent, and its answer comes next. It is unlikely to be there already.
        case asked
        /// The last proxy has granted the request: the following bytes on the stream are the caller's.
        case established
    }

    /// Begins on a stream that is connected to the first proxy.
    public init(for request: SOCKS5.Request, through chain: Chain) {
        self.request = request
        self.chain = chain
    }

    /// Begins again on a new stream, through another chain.
    public mutating func begin(through chain: Chain) {
        self.chain = chain
        hop = 0
        stage = .reached
        isAskedFor = false
    }

    /// Changes the request to the last proxy, before it is sent.
    public mutating func ask(for request: SOCKS5.Request) {
        self.request = request
    }

    /// BND.ADDR and BND.PORT of the last proxy's reply; nil before the reply, and for protocols other than SOCKS5.
    public var boundAddress: Endpoint? {
        guard case .socks5(let engine) = engine else { return nil }
        return engine.boundAddress
    }

    public var isAtLastHop: Bool { hop + 1 >= chain.count }

    /// Whether the expected answer depends on the destination, and not only on proxies.
    public var waitsForDestination: Bool {
        guard isAtLastHop else { return false }
        if case .socks5 = engine { return isAskedFor }
        return true
    }

    /// Whether the handshake waits to receive; otherwise it waits to send.
    public var waitsToReceive: Bool {
        switch stage {
        case .receiving: true
        case .securing: !securityWaitsToSend
        case .reached, .sending, .established: false
        }
    }

    /// Whether the current proxy has sent the whole expected answer: a refusal may be truncated.
    public var isAnswered: Bool { received >= wanted }

    // MARK: Steps

    /// Goes as far as the stream allows, at most to the next answer.
    ///
    /// - Parameters:
    ///   - proxies: the proxies that the chain refers to by index.
    ///   - isolation: for SOCKS5 proxies without credentials; nil for none.
    public mutating func advance<Stream: ByteStream>(
        over stream: Stream, through proxies: Span<Proxy>, isolation: IsolationCredentials?,
        _ buffers: HandshakeBuffers
    ) throws(Stream.Failure) -> Progress {
        while true {
            switch stage {
            case .reached:
                do throws(ProxyError) {
                    try greet(proxies, isolation, buffers)
                } catch {
                    throw .proxy(error)
                }
            case .sending:
                guard try send(over: stream, buffers) else { return .waiting }
                stage = .receiving
                return .asked
            case .securing:
                guard let index = index(of: hop, proxies) else { throw .proxy(.outOfStep) }
                switch try stream.secure(index, proxies) {
                case .waitsToSend: securityWaitsToSend = true
                case .waitsToReceive: securityWaitsToSend = false
                case .done:
                    do throws(ProxyError) {
                        try authenticated(buffers)
                    } catch {
                        throw .proxy(error)
                    }
                    continue
                }
                return .waiting
            case .receiving:
                if case .http = engine {
                    guard try receiveHead(over: stream, buffers) else { return .waiting }
                    goOn()
                } else {
                    guard try receive(over: stream, buffers) else { return .waiting }
                    do throws(ProxyError) {
                        try takeAnswer(proxies, isolation, buffers)
                    } catch {
                        throw .proxy(error)
                    }
                }
            case .established:
                return .established
            }
        }
    }

    /// Sends the rest of the message. False if the stream accepts no more for now.
    private mutating func send<Stream: ByteStream>(
        over stream: Stream, _ buffers: HandshakeBuffers
    ) throws(Stream.Failure) -> Bool {
        while sent < outgoing {
            guard let count = try stream.send(UnsafeRawBufferPointer(rebasing: buffers.outgoing[sent..<outgoing]))
            else { return false }
            sent += count
        }
        return true
    }

    /// Receives up to the expected length, never more: the following bytes are the caller's. False while it is
    /// incomplete.
    private mutating func receive<Stream: ByteStream>(
        over stream: Stream, _ buffers: HandshakeBuffers
    ) throws(Stream.Failure) -> Bool {
        while received < wanted {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffers.incoming[received..<wanted])
            guard let count = try stream.receive(into: room) else { return false }
            guard count > 0 else { throw .proxy(endOfAnswer(buffers)) }
            received += count
        }
        return true
    }

    /// Continues reading the head of a response, and consumes no byte after its end. False while it is incomplete.
    private mutating func receiveHead<Stream: ByteStream>(
        over stream: Stream, _ buffers: HandshakeBuffers
    ) throws(Stream.Failure) -> Bool {
        while true {
            guard let count = try stream.peek(into: buffers.incoming) else { return false }
            guard count > 0 else { throw .proxy(endOfAnswer(buffers)) }
            var left: Int
            let isEnd: Bool
            do throws(ProxyError) {
                (left, isEnd) = try read(peeked: count, buffers)
            } catch {
                throw .proxy(error)
            }
            while left > 0 {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffers.incoming[..<left])
                guard let taken = try stream.receive(into: room), taken > 0 else { throw .proxy(.outOfStep) }
                left -= taken
            }
            if isEnd { return true }
        }
    }

    // MARK: Engines

    /// Begins the handshake with the current proxy.
    private mutating func greet(
        _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?, _ buffers: HandshakeBuffers
    ) throws(ProxyError) {
        guard let index = index(of: hop, proxies) else { throw .outOfStep }
        guard let next = next(proxies) else { throw .unreachable }
        let type = proxies[index].type
        guard next.command == .connect || type == .socks5 else { throw .connectionsAlone }
        let credentials = proxies[index].credentials
        var message = BytesInPlace(buffers.outgoing)
        switch type {
        case .raw:
            engine = .none
            return goOn()
        case .socks5:
            var engine = SOCKS5.ClientHandshake(
                next, offering: ChainHandshake.offer(proxies[index], isolation))
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
            // The response is self-delimiting.
            wanted = 0
            self.engine = .http(engine)
        }
        beginSending(message)
    }

    /// The index of a hop's proxy; nil if there is none.
    private func index(of hop: Int, _ proxies: Span<Proxy>) -> Int? {
        guard let index = chain[hop], index < proxies.count else { return nil }
        return index
    }

    /// The request to the current proxy; nil if the next one is at a Unix-domain socket.
    private func next(_ proxies: Span<Proxy>) -> SOCKS5.Request? {
        if isAtLastHop { return request }
        guard let following = index(of: hop + 1, proxies), case .network(let endpoint) = proxies[following].location
        else { return nil }
        return SOCKS5.Request(command: .connect, destination: endpoint)
    }

    private mutating func beginSending(_ message: BytesInPlace) {
        outgoing = message.count
        (sent, received) = (0, 0)
        wanted = min(wanted, HandshakeBuffers.longestAnswer)
        stage = .sending
    }

    /// Called when the proxy has granted the request.
    private mutating func goOn() {
        isAskedFor = false
        if isAtLastHop {
            stage = .established
        } else {
            hop += 1
            stage = .reached
        }
    }

    /// Passes the answer to the state machine and continues with the next message, or the next proxy.
    private mutating func takeAnswer(
        _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?, _ buffers: HandshakeBuffers
    ) throws(ProxyError) {
        let bytes = Span<UInt8>(_unsafeElements: buffers.received(wanted))
        switch engine {
        case .none, .http:
            throw .outOfStep
        case .socks4(var engine):
            do throws(SOCKS4.ProtocolError) {
                _ = try engine.receive(bytes)
            } catch {
                throw .socks4(error)
            }
            goOn()
        case .socks5(var engine):
            var message = BytesInPlace(buffers.outgoing)
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
                writeCredentials(to: &message, proxies, isolation)
                wanted = length
                beginSending(message)
            case .establishSecurity: stage = .securing
            case .receive(let length):
                received = 0
                wanted = min(length, HandshakeBuffers.longestAnswer)
            case .established:
                goOn()
            }
        }
    }

    /// Continues with the request behind an established security context.
    private mutating func authenticated(_ buffers: HandshakeBuffers) throws(ProxyError) {
        guard case .socks5(var engine) = engine else { throw .outOfStep }
        var message = BytesInPlace(buffers.outgoing)
        do throws(SOCKS5.ProtocolError) {
            guard case .send(let length) = try engine.authenticated(writing: &message) else { throw .handshakeOver }
            wanted = length
        } catch {
            throw .socks5(error)
        }
        self.engine = .socks5(engine)
        isAskedFor = true
        beginSending(message)
    }

    /// The authentication methods that a proxy is offered.
    private static func offer(_ proxy: Proxy, _ isolation: IsolationCredentials?) -> AuthenticationOffer {
        if proxy.gssapi != nil { return .gssapi }
        return proxy.credentials != nil || isolation != nil ? .usernamePassword : .none
    }

    /// The configuration's grammar rejects invalid lengths; the proxy would refuse the empty message.
    private func writeCredentials(
        to message: inout BytesInPlace, _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?
    ) {
        guard let index = index(of: hop, proxies) else { return }
        guard let credentials = proxies[index].credentials else {
            isolation?.write(to: &message)
            return
        }
        try? UsernamePasswordRequest.write(
            user: credentials.user.span, password: credentials.password.span, to: &message)
    }

    /// Passes peeked bytes to the state machine; returns how many belong to the response, and whether it ends with
    /// them.
    private mutating func read(
        peeked count: Int, _ buffers: HandshakeBuffers
    ) throws(ProxyError) -> (count: Int, isEnd: Bool) {
        guard case .http(var engine) = engine else { throw .outOfStep }
        do throws(HTTPConnect.ProtocolError) {
            let (own, action) = try engine.receive(peeked: Span(_unsafeElements: buffers.received(count)))
            self.engine = .http(engine)
            return (own, action == .established)
        } catch {
            throw .http(error)
        }
    }

    /// The error if the proxy closes the connection before the end of its answer.
    private func endOfAnswer(_ buffers: HandshakeBuffers) -> ProxyError {
        let bytes = Span<UInt8>(_unsafeElements: buffers.received(received))
        switch engine {
        case .none: return .outOfStep
        case .socks5(var engine): return .socks5(engine.receiveEnd(after: bytes))
        case .socks4(var engine): return .socks4(engine.receiveEnd(after: bytes))
        case .http(var engine): return .http(engine.receiveEnd())
        }
    }

    // MARK: Failures

    /// The cause of a failed handshake.
    public enum Culprit: Equatable, Sendable {
        /// The proxy with this index: it is down, or misbehaves.
        case proxy(Int)
        /// The proxy with this index cannot do what was requested, and may work otherwise.
        case incapable(Int)
        /// The request to the last proxy, or the caller.
        case other
    }

    /// A proxy that has answered and then fails cannot reach the next one, or the target; before its first answer the
    /// proxy itself fails.
    public func culprit(of failure: FailureKind) -> Culprit {
        guard let index = chain[hop] else { return .other }
        switch failure {
        case .incapability: return .incapable(index)
        case .silence where !isAskedFor: return .proxy(index)
        case .refusal, .silence: return chain[hop + 1].map { .proxy($0) } ?? .other
        case .fault: return .proxy(index)
        case .abortion: return .other
        }
    }

    // MARK: Position

    /// The state of a handshake in numbers, from which another process can continue with the buffers; without
    /// `boundAddress`.
    public struct Position: Equatable, Sendable {
        public var stage: UInt8
        public var isAskedFor: Bool
        public var hop: UInt32
        /// The length of the message, and the number of sent bytes.
        public var outgoing, sent: UInt32
        /// The number of received bytes of the answer, and its length.
        public var received, wanted: UInt32
        /// The progress of the state machine.
        public var progress: UInt64

        public init(
            stage: UInt8, isAskedFor: Bool, hop: UInt32, outgoing: UInt32, sent: UInt32, received: UInt32,
            wanted: UInt32, progress: UInt64
        ) {
            self.stage = stage
            self.isAskedFor = isAskedFor
            self.hop = hop
            self.outgoing = outgoing
            self.sent = sent
            self.received = received
            self.wanted = wanted
            self.progress = progress
        }
    }

    public var position: Position {
        let progress: UInt64 =
            switch engine {
            case .none: 0
            case .socks5(let engine): engine.progress
            case .socks4(let engine): engine.progress
            case .http(let engine): engine.progress
            }
        return Position(
            stage: stage.rawValue, isAskedFor: isAskedFor, hop: UInt32(truncatingIfNeeded: hop),
            outgoing: UInt32(truncatingIfNeeded: outgoing), sent: UInt32(truncatingIfNeeded: sent),
            received: UInt32(truncatingIfNeeded: received), wanted: UInt32(truncatingIfNeeded: wanted),
            progress: progress)
    }

    /// Restores a handshake; nil for invalid numbers.
    @inline(never)
    public init?(
        for request: SOCKS5.Request, through chain: Chain, at position: Position, _ proxies: Span<Proxy>,
        isolation: IsolationCredentials?
    ) {
        self.init(for: request, through: chain)
        guard let stage = Stage(rawValue: position.stage), position.hop < chain.count,
            position.sent <= position.outgoing, position.outgoing <= HandshakeBuffers.longestMessage,
            position.received <= HandshakeBuffers.longestAnswer, position.wanted <= HandshakeBuffers.longestAnswer
        else { return nil }
        self.stage = stage
        isAskedFor = position.isAskedFor
        hop = Int(position.hop)
        (outgoing, sent) = (Int(position.outgoing), Int(position.sent))
        (received, wanted) = (Int(position.received), Int(position.wanted))
        guard takeUp(position.progress, proxies, isolation) else { return nil }
    }

    /// Restores the state machine. False for an invalid state.
    private mutating func takeUp(
        _ progress: UInt64, _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?
    ) -> Bool {
        switch stage {
        case .reached: return true
        // A security context is a process's own.
        case .established, .securing: return false
        case .sending, .receiving: break
        }
        guard let index = index(of: hop, proxies), let next = next(proxies) else { return false }
        switch proxies[index].type {
        case .raw: return false
        case .socks5:
            guard
                let engine = SOCKS5.ClientHandshake(
                    next, offering: ChainHandshake.offer(proxies[index], isolation), progress: progress)
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
