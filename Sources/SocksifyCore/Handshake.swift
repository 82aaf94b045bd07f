import Addressing
import CLibC
import ProxyConfig
import SOCKS5

/// The handshakes of a chain on one socket, one proxy after the other: an engine and the bytes on their way.
///
/// It is stepped: `advance` goes as far as the socket allows, never waits, and can be called again by whoever finds
/// the socket ready. It holds no reference and allocates nothing, so that it can be put aside in a fixed place.
struct Handshake {
    /// What the program connected to.
    let peer: SocketAddress
    /// What the last proxy is asked for.
    let request: Request
    /// Milliseconds of `Clock` at the beginning.
    let started: Int
    /// The proxy that is spoken with: its place in the list.
    private(set) var hop = 0
    /// When the answer that is waited for must be there; nil before the first wait for it.
    var deadline: Int?

    private var stage = Stage.connecting
    private var engine: ClientHandshake
    private var outgoing = Message()
    private var sent = 0
    private var incoming = InlineArray<264, UInt8>(repeating: 0)
    private var received = 0
    private var wanted = 0

    private enum Stage {
        /// The TCP connection to the first proxy is under way.
        case connecting
        case sending
        case receiving
    }

    /// How far a step came.
    enum Progress {
        /// Until the socket is ready for what `readiness` says, nothing can be done.
        case waiting
        /// The connection is the program's.
        case established
    }

    init(for request: Request, peer: SocketAddress, configuration: Configuration) {
        self.peer = peer
        self.request = request
        started = Clock.now
        engine = Handshake.engine(hop: 0, request, configuration)
    }

    /// DST.ADDR and DST.PORT for the last proxy.
    var destination: Endpoint { request.destination }

    /// BND.ADDR and BND.PORT of the last proxy's reply; nil before it is there.
    var boundAddress: Endpoint? { engine.boundAddress }

    /// Whether the TCP connection to the first proxy is still under way.
    var isConnecting: Bool {
        if case .connecting = stage { return true }
        return false
    }

    /// What the socket is to be ready for before there is anything to do.
    var readiness: Socket.Readiness {
        if case .receiving = stage { return .toRead }
        return .toWrite
    }

    /// The TCP connection to the first proxy stands.
    mutating func connected() {
        perform(engine.start(writing: &outgoing))
    }

    /// Goes as far as the socket allows.
    ///
    /// - Parameter receivesAtOnce: whether to look for an answer right after its question: it cannot be there yet, but a
    ///   proxy may have sent it unasked, and nobody tells of it again.
    mutating func advance(
        on socket: Socket, _ configuration: Configuration, receivesAtOnce: Bool
    ) throws(HandshakeError) -> Progress {
        while true {
            switch stage {
            case .connecting:
                return .waiting
            case .sending:
                guard try send(on: socket) else { return .waiting }
                deadline = nil
                stage = .receiving
                if !receivesAtOnce { return .waiting }
            case .receiving:
                guard try receive(on: socket) else { return .waiting }
                if case .established = try takeAnswer(configuration) { return .established }
            }
        }
    }

    /// Sends what is left of the message. False when the socket takes no more for now.
    private mutating func send(on socket: Socket) throws(HandshakeError) -> Bool {
        while sent < outgoing.count {
            do {
                let left = sent..<outgoing.count
                sent += try withUnsafeBytes(of: &outgoing) { (message) throws(Errno) -> Int in
                    try socket.send(UnsafeRawBufferPointer(rebasing: message[left]))
                }
            } catch {
                switch error {
                case .again: return false
                case .interrupted: continue
                default: throw .kernel(error)
                }
            }
        }
        return true
    }

    /// Receives up to the length that was asked for, never more: what follows is the program's. False when it is not
    /// all there yet.
    private mutating func receive(on socket: Socket) throws(HandshakeError) -> Bool {
        while received < wanted {
            let count: Int
            do {
                let room = received..<wanted
                count = try withUnsafeMutableBytes(of: &incoming) { (buffer) throws(Errno) -> Int in
                    try socket.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[room]))
                }
            } catch {
                switch error {
                case .again: return false
                case .interrupted: continue
                default: throw .kernel(error)
                }
            }
            guard count > 0 else {
                throw .proxy(engine.receiveEnd(after: incoming.span.extracting(first: received)))
            }
            received += count
        }
        return true
    }

    /// Hands the answer to the engine and goes on to the next message, or to the next proxy.
    private mutating func takeAnswer(_ configuration: Configuration) throws(HandshakeError) -> Progress {
        let action: ClientHandshake.Action
        do {
            action = try engine.receive(incoming.span.extracting(first: wanted), writing: &outgoing)
        } catch {
            throw .proxy(error)
        }
        if case .established = action {
            guard hop + 1 < configuration.proxies.count else { return .established }
            hop += 1
            engine = Handshake.engine(hop: hop, request, configuration)
            perform(engine.start(writing: &outgoing))
        } else {
            if case .sendUsernamePassword = action { writeCredentials(configuration) }
            perform(action)
        }
        return .waiting
    }

    private mutating func perform(_ action: ClientHandshake.Action) {
        received = 0
        switch action {
        case .send(let length), .sendUsernamePassword(let length):
            sent = 0
            wanted = min(length, incoming.count)
            stage = .sending
        case .receive(let length):
            wanted = min(length, incoming.count)
        case .established:
            break
        }
    }

    /// The engine for one proxy of the list: it is asked for a connection to the next one, the last for what is wanted.
    private static func engine(hop: Int, _ request: Request, _ configuration: Configuration) -> ClientHandshake {
        let proxies = configuration.proxies
        let isLast = hop + 1 >= proxies.count
        var next = request
        if !isLast, case .network(let proxy) = proxies[hop + 1].location {
            next = Request(command: .connect, destination: proxy)
        }
        return ClientHandshake(next, offersUsernamePassword: hop < proxies.count && proxies[hop].credentials != nil)
    }

    /// Lengths that do not fit do not pass the configuration's grammar; the proxy would refuse the empty message.
    private mutating func writeCredentials(_ configuration: Configuration) {
        guard hop < configuration.proxies.count, let credentials = configuration.proxies[hop].credentials
        else { return }
        do {
            try UsernamePasswordRequest.write(
                user: credentials.user.span, password: credentials.password.span, to: &outgoing)
        } catch {
            outgoing = Message()
        }
    }
}
