import Addressing

/// The client side of a SOCKS5 handshake: bytes in, actions out; it owns no socket and never waits.
///
/// It asks for exact lengths, because the bytes after the reply on the same connection belong to the application. It
/// sends a message only after the answer to the previous one, because some proxies lose early data.
///
/// Messages are written into the owner's memory: they are long, and a handshake may run on the small stack of a thread
/// or of a signal handler.
///
///     start ─ greeting → method selection ┬───────────────────────────────→ request → reply → established
///                                         ├ user name, password → status ─┤
///                                         └ security context, protection ─┘
public struct ClientHandshake: Sendable {
    /// The longest message in bytes: that of RFC 1929, with user name and password of 255 bytes each.
    public static var messageCapacity: Int { Message.capacity }

    private let request: Request
    private let greeting: Greeting
    private var state = State.idle

    private enum State {
        case idle
        case waitingForMethodSelection
        case waitingForUsernamePasswordStatus
        case waitingForSecurity
        case waitingForReplyHead
        case waitingForReplyRest(ReplyHead)
        case over
    }

    /// The next step for the owner of the connection.
    public enum Action: Equatable, Sendable {
        /// Send the written message, then receive this number of bytes and pass them to `receive`.
        case send(thenReceive: Int)
        /// Send the `UsernamePasswordRequest`, then receive this number of bytes and pass them to `receive`. The
        /// handshake itself never holds the secret.
        case sendUsernamePassword(thenReceive: Int)
        /// Establish a security context and agree on the protection of messages (RFC 1961 sections 3 and 4), then
        /// call `authenticated`. From then on every message is encapsulated as agreed.
        case establishSecurity
        /// Receive this number of bytes and pass them to `receive`.
        case receive(exactly: Int)
        /// The request is granted. After CONNECT the connection is the application's; after UDP ASSOCIATE the
        /// association lasts as long as it is open (RFC 1928 section 7).
        case established
    }

    /// BND.ADDR and BND.PORT of the reply; nil before the reply. For UDP ASSOCIATE it is the address of the relay, for
    /// `Command.resolve` and `Command.resolvePTR` the answer.
    public private(set) var boundAddress: Endpoint?

    public init(_ request: Request, offering offer: AuthenticationOffer) {
        self.request = request
        greeting = Greeting(offer: offer)
    }

    // MARK: Progress

    /// The state in a word, from which another process can continue; without `boundAddress`.
    public var progress: UInt64 {
        switch state {
        case .idle: 0
        case .waitingForMethodSelection: 1
        case .waitingForUsernamePasswordStatus: 2
        case .waitingForReplyHead: 3
        case .waitingForReplyRest(let head): 4 | UInt64(head.type.code) << 8 | UInt64(head.firstByte) << 16
        case .over: 5
        case .waitingForSecurity: 6
        }
    }

    /// Restores a handshake; nil for an invalid word.
    @inline(never)
    public init?(_ request: Request, offering offer: AuthenticationOffer, progress: UInt64) {
        self.init(request, offering: offer)
        switch progress {
        case 0: state = .idle
        case 1: state = .waitingForMethodSelection
        case 2 where offer == .usernamePassword: state = .waitingForUsernamePasswordStatus
        case 3: state = .waitingForReplyHead
        case 5: state = .over
        default:
            guard progress & 0xff == 4, progress >> 24 == 0,
                let head = ReplyHead(
                    type: AddressType(code: UInt8(truncatingIfNeeded: progress >> 8)),
                    firstByte: UInt8(truncatingIfNeeded: progress >> 16))
            else { return nil }
            state = .waitingForReplyRest(head)
        }
    }

    // MARK: Steps

    /// Begins the handshake on a new connection to the proxy.
    ///
    /// - Parameter message: the greeting is appended.
    public mutating func start(writing message: inout some ByteSink) -> Action {
        state = .waitingForMethodSelection
        greeting.write(to: &message)
        return .send(thenReceive: MethodSelection.length)
    }

    /// Takes exactly the bytes that the last action asked for.
    ///
    /// After an error the handshake is over, and every further call throws `handshakeOver`.
    ///
    /// - Parameter message: if the action is to send, the message is appended; otherwise unchanged.
    public mutating func receive(
        _ bytes: Span<UInt8>, writing message: inout some ByteSink
    ) throws(ProtocolError) -> Action {
        let current = state
        state = .over
        switch current {
        case .idle, .over, .waitingForSecurity:
            throw .handshakeOver
        case .waitingForMethodSelection:
            return try authenticate(by: MethodSelection.read(bytes), writing: &message)
        case .waitingForUsernamePasswordStatus:
            try UsernamePasswordStatus.read(bytes)
            return sendRequest(writing: &message)
        case .waitingForReplyHead:
            let head = try ReplyHead(bytes)
            state = .waitingForReplyRest(head)
            return .receive(exactly: head.remainingLength)
        case .waitingForReplyRest(let head):
            boundAddress = try head.boundAddress(rest: bytes)
            return .established
        }
    }

    /// The proxy closed the connection after `bytes` of the expected ones.
    ///
    /// Some proxies close before they have sent a complete refusal; its code then gives the better error. sshd sends
    /// nothing of it.
    public mutating func receiveEnd(after bytes: Span<UInt8>) -> ProtocolError {
        let current = state
        state = .over
        guard case .waitingForReplyHead = current else { return .closed }
        if bytes.isEmpty { return .closedInPlaceOfReply }
        guard bytes.count >= 2, bytes[0] == protocolVersion, ReplyCode(code: bytes[1]) != .succeeded
        else { return .closed }
        return .rejected(ReplyCode(code: bytes[1]))
    }

    private mutating func authenticate(
        by method: Method, writing message: inout some ByteSink
    ) throws(ProtocolError) -> Action {
        guard method != .noneAcceptable else { throw .noAcceptableMethod }
        guard greeting.offers(method) else { throw .methodNotOffered(method) }
        switch method {
        case .usernamePassword:
            state = .waitingForUsernamePasswordStatus
            return .sendUsernamePassword(thenReceive: UsernamePasswordStatus.length)
        case .gssapi:
            state = .waitingForSecurity
            return .establishSecurity
        default: return sendRequest(writing: &message)
        }
    }

    /// The security context is established, and the protection agreed on.
    ///
    /// - Parameter message: the request is appended.
    public mutating func authenticated(writing message: inout some ByteSink) throws(ProtocolError) -> Action {
        guard case .waitingForSecurity = state else {
            state = .over
            throw .handshakeOver
        }
        return sendRequest(writing: &message)
    }

    private mutating func sendRequest(writing message: inout some ByteSink) -> Action {
        state = .waitingForReplyHead
        request.write(to: &message)
        return .send(thenReceive: ReplyHead.length)
    }
}
