import Addressing

/// The client side of HTTP CONNECT (RFC 9110 section 9.3.6): bytes in, actions out; it owns no socket and never waits.
///
/// The length of the response is not known in advance, and the bytes after it belong to the application. So the owner
/// shows the received bytes to the handshake (MSG_PEEK), and then consumes only those that belong to the response.
///
///     start ─ request → head of the response ┬→ established
///                          └─── interim ←────┘
public struct ClientHandshake: Sendable {
    /// The longest request in bytes: with a name, a user and a password of 255 bytes each.
    public static var messageCapacity: Int { Request.longest }

    /// The maximum number of bytes of a response's head, including interim responses before it.
    public static var longestAnswer: Int { 65536 }

    private let destination: Endpoint
    private var sentCredentials = false
    private var state = State.idle

    private enum State {
        case idle
        case waitingForHead(ResponseHead, received: Int)
        case over
    }

    /// The next step for the owner of the connection.
    public enum Action: Equatable, Sendable {
        /// Send the written message, then continue as for `receiveHead`.
        case send
        /// Wait for bytes, show any number of them to `receive`, and consume as many as it returns.
        case receiveHead
        /// The request is granted: the connection and the remaining bytes are the application's.
        case established
    }

    public init(connectingTo destination: Endpoint) {
        self.destination = destination
    }

    // MARK: Progress

    /// The state in a word, from which another process can continue.
    public var progress: UInt64 {
        let credentials: UInt64 = sentCredentials ? 1 << 63 : 0
        switch state {
        case .idle: return credentials
        case .waitingForHead(let head, let received):
            return credentials | 1 | UInt64(received) << 8 | head.progress << 32
        case .over: return credentials | 2
        }
    }

    /// Restores a handshake; nil for an invalid word.
    @inline(never)
    public init?(connectingTo destination: Endpoint, progress: UInt64) {
        self.init(connectingTo: destination)
        sentCredentials = progress >> 63 == 1
        let rest = progress & ~(1 << 63)
        switch rest {
        case 0: state = .idle
        case 2: state = .over
        default:
            let received = Int(rest >> 8 & 0xff_ffff)
            guard rest & 0xff == 1, received <= ClientHandshake.longestAnswer,
                let head = ResponseHead(progress: rest >> 32)
            else { return nil }
            state = .waitingForHead(head, received: received)
        }
    }

    // MARK: Steps

    /// Begins the handshake on a new connection to the proxy, without credentials.
    ///
    /// - Parameter message: the request is appended; unchanged if an error is thrown.
    /// - Throws: an error if HTTP cannot express the request.
    public mutating func start(writing message: inout some ByteSink) throws(ProtocolError) -> Action {
        try Request.writeStart(for: destination, to: &message)
        return endRequest(in: &message)
    }

    /// Begins the handshake on a new connection to the proxy, with credentials, which are not stored.
    ///
    /// - Parameters:
    ///   - user: without a colon, which would end it (RFC 7617 section 2).
    ///   - message: the request is appended; unchanged if an error is thrown.
    /// - Throws: an error if HTTP cannot express the request.
    public mutating func start(
        user: Span<UInt8>, password: Span<UInt8>, writing message: inout some ByteSink
    ) throws(ProtocolError) -> Action {
        guard user.count <= 255, password.count <= 255 else { throw .unusableCredentials }
        try Request.writeStart(for: destination, to: &message)
        Request.writeCredentials(user: user, password: password, to: &message)
        sentCredentials = true
        return endRequest(in: &message)
    }

    /// Reads the received bytes, up to the end of the response.
    ///
    /// After an error the handshake is over, and every further call throws `handshakeOver`.
    ///
    /// - Returns: how many of the bytes belong to the handshake: all of them, unless it is established.
    public mutating func receive(
        peeked bytes: Span<UInt8>
    ) throws(ProtocolError) -> (consumed: Int, action: Action) {
        guard case .waitingForHead(var head, var received) = state else { throw .handshakeOver }
        state = .over
        for index in bytes.indices {
            guard received < ClientHandshake.longestAnswer else { throw .headTooLong }
            received += 1
            switch try head.read(bytes[index]) {
            case .unfinished:
                break
            case .status(let status):
                try judge(status)
            case .end(let status):
                if status.isSuccess { return (index + 1, .established) }
                head = ResponseHead()
            }
        }
        state = .waitingForHead(head, received: received)
        return (bytes.count, .receiveHead)
    }

    /// The proxy closed the connection before the end of the response.
    public mutating func receiveEnd() -> ProtocolError {
        defer { state = .over }
        guard case .waitingForHead = state else { return .handshakeOver }
        return .closed
    }

    private mutating func endRequest(in message: inout some ByteSink) -> Action {
        Request.writeEnd(to: &message)
        state = .waitingForHead(ResponseHead(), received: 0)
        return .send
    }

    /// Returns for success and for interim responses.
    private func judge(_ status: Status) throws(ProtocolError) {
        if status.isSuccess || status.isInterim { return }
        // 401 is for origin servers, but some proxies send it instead of 407.
        guard status == .proxyAuthenticationRequired || status == .unauthorized else { throw .rejected(status) }
        throw sentCredentials ? .credentialsRefused : .credentialsWanted
    }
}
