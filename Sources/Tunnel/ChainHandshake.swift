import Addressing
import HTTPConnect
import ProxyConfig
import SOCKS4
import SOCKS5

/// The handshakes of a chain over one stream of bytes, one proxy after the other: an engine, and how far its bytes are on
/// their way.
///
/// It is stepped: `advance` goes as far as the stream allows, never waits, and can be called again by whoever finds the
/// stream ready. It holds no reference and no secret, and allocates nothing, so that it can be put aside in a fixed place.
///
///     reached ─ sending → receiving ┬→ established
///        ↑         ↑                │
///        │         └─ next message ─┤
///        └─────────── next proxy ───┘
public struct ChainHandshake: Sendable {
    /// What the last proxy is asked for.
    public private(set) var request: SOCKS5.Request
    /// The proxies that are gone through.
    public private(set) var chain: Chain
    /// The proxy that is spoken with: its place in the chain.
    public private(set) var hop = 0
    /// Whether the proxy that is spoken with has been asked for the next one, or for what is wanted, after it had
    /// answered something else.
    public private(set) var isAskedFor = false

    private var stage = Stage.reached
    private var engine = Engine.none
    private var outgoing = 0
    private var sent = 0
    private var received = 0
    private var wanted = 0

    private enum Stage: UInt8 {
        /// A proxy is reached, which has been told nothing.
        case reached
        case sending
        /// An answer is waited for: of known length, or one that says itself where it ends.
        case receiving
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
    public enum Progress {
        /// Until the stream is ready, nothing can be done: see `waitsToReceive`.
        case waiting
        /// A message is sent whose answer comes next. It can hardly be there yet.
        case asked
        /// The last proxy has done what it was asked for: what follows on the stream is the caller's.
        case established
    }

    /// Begins on a stream on which the first proxy is reached.
    public init(for request: SOCKS5.Request, through chain: Chain) {
        self.request = request
        self.chain = chain
    }

    /// Begins anew, on a stream of its own, through another chain.
    public mutating func begin(through chain: Chain) {
        self.chain = chain
        hop = 0
        stage = .reached
        isAskedFor = false
    }

    /// Asks the last proxy for something else: before it was asked.
    public mutating func ask(for request: SOCKS5.Request) {
        self.request = request
    }

    /// BND.ADDR and BND.PORT of the last proxy's reply; nil before it is there, and where the protocol has none.
    public var boundAddress: Endpoint? {
        guard case .socks5(let engine) = engine else { return nil }
        return engine.boundAddress
    }

    public var isAtLastHop: Bool { hop + 1 >= chain.count }

    /// Whether what is waited for depends on the destination, and not on proxies alone.
    public var waitsForDestination: Bool {
        guard isAtLastHop else { return false }
        if case .socks5 = engine { return isAskedFor }
        return true
    }

    /// Whether the stream is to have bytes before there is anything to do; else it is to have room for some.
    public var waitsToReceive: Bool {
        if case .receiving = stage { return true }
        return false
    }

    /// Whether the proxy that is spoken with has said all of what was asked for: a refusal may be cut off.
    public var isAnswered: Bool { received >= wanted }

    // MARK: Steps

    /// Goes as far as the stream allows, and no further than to the next answer that is waited for.
    ///
    /// - Parameters:
    ///   - proxies: those by whose places the chain is known.
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

    /// Sends what is left of the message. False when the stream takes no more for now.
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

    /// Receives up to the length that was asked for, never more: what follows is the caller's. False when it is not all
    /// there yet.
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

    /// Reads on in the head of an answer, and takes no byte from behind its end. False when that is not there yet.
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

    /// Begins the handshake with the proxy that was reached.
    private mutating func greet(
        _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?, _ buffers: HandshakeBuffers
    ) throws(ProxyError) {
        guard let place = place(of: hop, proxies) else { throw .outOfStep }
        guard let next = next(proxies) else { throw .unreachable }
        let type = proxies[place].type
        guard next.command == .connect || type == .socks5 else { throw .connectionsAlone }
        let credentials = proxies[place].credentials
        var message = OutgoingMessage(in: buffers)
        switch type {
        case .raw:
            engine = .none
            return goOn()
        case .socks5:
            var engine = SOCKS5.ClientHandshake(
                next, offersUsernamePassword: credentials != nil || isolation != nil)
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
            // The answer says itself where it ends.
            wanted = 0
            self.engine = .http(engine)
        }
        beginSending(message)
    }

    /// The place of a hop's proxy; nil where there is none.
    private func place(of hop: Int, _ proxies: Span<Proxy>) -> Int? {
        guard let place = chain[hop], place < proxies.count else { return nil }
        return place
    }

    /// What the proxy is asked for that is spoken with; nil where the next one is at a path.
    private func next(_ proxies: Span<Proxy>) -> SOCKS5.Request? {
        if isAtLastHop { return request }
        guard let following = place(of: hop + 1, proxies), case .network(let endpoint) = proxies[following].location
        else { return nil }
        return SOCKS5.Request(command: .connect, destination: endpoint)
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
                writeCredentials(to: &message, proxies, isolation)
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
    private func writeCredentials(
        to message: inout OutgoingMessage, _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?
    ) {
        guard let place = place(of: hop, proxies) else { return }
        guard let credentials = proxies[place].credentials else {
            isolation?.write(to: &message)
            return
        }
        try? UsernamePasswordRequest.write(
            user: credentials.user.span, password: credentials.password.span, to: &message)
    }

    /// Hands the first bytes of what lies there to the engine; returns how many of them are its own, and whether they end
    /// the answer.
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

    /// The proxy closed the connection in place of the rest of its answer.
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

    /// Whose failure it is that a handshake cannot go on.
    public enum Culprit: Equatable, Sendable {
        /// The proxy of this place; it is down, or does not do what a proxy has to.
        case proxy(Int)
        /// The proxy of this place has no way to do what it is asked for, and may be well otherwise.
        case incapable(Int)
        /// What the last proxy was asked for, or the caller.
        case other
    }

    /// A proxy that has answered, and then does not do what it is asked for, has no way to the next one, or to the
    /// target; before, it is the proxy itself that fails.
    public func culprit(of failure: FailureKind) -> Culprit {
        guard let place = chain[hop] else { return .other }
        switch failure {
        case .incapability: return .incapable(place)
        case .silence where !isAskedFor: return .proxy(place)
        case .refusal, .silence: return chain[hop + 1].map { .proxy($0) } ?? .other
        case .fault: return .proxy(place)
        case .abortion: return .other
        }
    }

    // MARK: Position

    /// How far a handshake has come, in numbers by which another process goes on, beside what lies in the buffers. What a
    /// reply has said is not in them.
    public struct Position: Equatable, Sendable {
        public var stage: UInt8
        public var isAskedFor: Bool
        public var hop: UInt32
        /// The length of the message, and how much of it is sent.
        public var outgoing, sent: UInt32
        /// How much there is of the answer, and its length.
        public var received, wanted: UInt32
        /// That of the engine.
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

    /// A handshake that has come so far; nil for numbers that none has come to.
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

    /// Takes the engine up where it was left. False when there is none that could have come so far.
    private mutating func takeUp(
        _ progress: UInt64, _ proxies: Span<Proxy>, _ isolation: IsolationCredentials?
    ) -> Bool {
        switch stage {
        case .reached: return true
        case .established: return false
        case .sending, .receiving: break
        }
        guard let place = place(of: hop, proxies), let next = next(proxies) else { return false }
        switch proxies[place].type {
        case .raw: return false
        case .socks5:
            guard
                let engine = SOCKS5.ClientHandshake(
                    next, offersUsernamePassword: proxies[place].credentials != nil || isolation != nil,
                    progress: progress)
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
