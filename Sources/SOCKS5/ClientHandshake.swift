import Addressing

/// The client's side of a SOCKS5 handshake: bytes in, actions out; it owns no socket and never waits.
///
/// It asks for exact lengths, because whatever follows the reply on the same connection belongs to the
/// application. A message is sent only after the answer to the one before was read: some proxies lose what comes
/// early.
///
///     start ─ greeting → method selection ┬───────────────────────────────→ request → reply → established
///                                         └ user name, password → status ─┘
public struct ClientHandshake: Sendable {
    private let request: Request
    private let credentials: UsernamePassword?
    private var state = State.idle

    private enum State {
        case idle
        case waitingForMethodSelection
        case waitingForUsernamePasswordStatus
        case waitingForReplyHead
        case waitingForReplyRest(ReplyHead)
        case over
    }

    /// What the owner of the connection does next.
    public enum Action: Sendable {
        /// Send these bytes, then receive so many and hand them to `receive`.
        case send(Message, thenReceive: Int)
        /// Receive so many bytes and hand them to `receive`.
        case receive(exactly: Int)
        /// The request is granted; the connection is the application's. BND.ADDR and BND.PORT of the reply.
        case established(boundAddress: Endpoint)
    }

    /// - Parameter credentials: offered beside no authentication; without them only the latter is.
    public init(_ request: Request, credentials: UsernamePassword?) {
        self.request = request
        self.credentials = credentials
    }

    private var greeting: Greeting { Greeting(offersUsernamePassword: credentials != nil) }

    /// Begins the handshake on a fresh connection to the proxy.
    public mutating func start() -> Action {
        state = .waitingForMethodSelection
        var message = Message()
        greeting.write(to: &message)
        return .send(message, thenReceive: MethodSelection.length)
    }

    /// Takes the bytes that the last action asked for, neither more nor fewer.
    ///
    /// After an error the handshake is over, and every further call throws `handshakeOver`.
    public mutating func receive(_ bytes: Span<UInt8>) throws(ProtocolError) -> Action {
        let current = state
        state = .over
        switch current {
        case .idle, .over:
            throw .handshakeOver
        case .waitingForMethodSelection:
            return try authenticate(by: MethodSelection.read(bytes))
        case .waitingForUsernamePasswordStatus:
            try UsernamePasswordStatus.read(bytes)
            return sendRequest()
        case .waitingForReplyHead:
            let head = try ReplyHead(bytes)
            state = .waitingForReplyRest(head)
            return .receive(exactly: head.remainingLength)
        case .waitingForReplyRest(let head):
            return .established(boundAddress: try head.boundAddress(rest: bytes))
        }
    }

    /// The proxy closed the connection after `bytes` of those that were asked for.
    ///
    /// Some proxies close before the whole of a refusal is out; its code is then the better reason.
    public mutating func receiveEnd(after bytes: Span<UInt8>) -> ProtocolError {
        let current = state
        state = .over
        if case .waitingForReplyHead = current, bytes.count >= 2, bytes[0] == protocolVersion,
            ReplyCode(code: bytes[1]) != .succeeded
        {
            return .rejected(ReplyCode(code: bytes[1]))
        }
        return .closed
    }

    private mutating func authenticate(by method: Method) throws(ProtocolError) -> Action {
        guard method != .noneAcceptable else { throw .noAcceptableMethod }
        guard greeting.offers(method) else { throw .methodNotOffered(method) }
        guard method == .usernamePassword, let credentials else { return sendRequest() }
        state = .waitingForUsernamePasswordStatus
        var message = Message()
        credentials.write(to: &message)
        return .send(message, thenReceive: UsernamePasswordStatus.length)
    }

    private mutating func sendRequest() -> Action {
        state = .waitingForReplyHead
        var message = Message()
        request.write(to: &message)
        return .send(message, thenReceive: ReplyHead.length)
    }
}
