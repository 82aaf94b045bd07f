import Addressing

/// The client's side of HTTP's CONNECT (RFC 9110 section 9.3.6): bytes in, actions out; it owns no socket and never
/// waits.
///
/// Where the answer ends is known only when its end is seen, and whatever follows it on the same connection belongs to
/// the application. So the handshake is shown what has arrived, says how much of that is its own, and the owner takes
/// just this off the connection.
///
///     start ─ request → head of the response ┬→ established
///                          └─── interim ←────┘
public struct ClientHandshake: Sendable {
    /// The room that the request needs at most: that of a name, a user and a password of 255 bytes each.
    public static var messageCapacity: Int { Request.longest }

    /// The most bytes that an answer's head may have, those of interim responses before it included.
    public static var longestAnswer: Int { 65536 }

    private let destination: Endpoint
    private var sentCredentials = false
    private var state = State.idle

    private enum State {
        case idle
        case waitingForHead(ResponseHead, received: Int)
        case over
    }

    /// What the owner of the connection does next.
    public enum Action: Equatable, Sendable {
        /// Send the message that was written, then do as for `receiveHead`.
        case send
        /// Wait for bytes, show them to `receive` as they come, any number at a time, and take off the connection those
        /// that it has consumed.
        case receiveHead
        /// The request is granted: the connection, and what was not consumed, is the application's.
        case established
    }

    public init(connectingTo destination: Endpoint) {
        self.destination = destination
    }

    // MARK: Progress

    /// How far it has come, in a word by which another process goes on.
    public var progress: UInt64 {
        let credentials: UInt64 = sentCredentials ? 1 << 63 : 0
        switch state {
        case .idle: return credentials
        case .waitingForHead(let head, let received):
            return credentials | 1 | UInt64(received) << 8 | head.progress << 32
        case .over: return credentials | 2
        }
    }

    /// A handshake that has come so far; nil for a word that says nothing of the kind.
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

    /// Begins the handshake on a fresh connection to the proxy, without credentials.
    ///
    /// - Parameter message: takes the request, behind what it holds; as it was, where an error is thrown.
    /// - Throws: what cannot be asked for.
    public mutating func start(writing message: inout some ByteSink) throws(ProtocolError) -> Action {
        try Request.writeStart(for: destination, to: &message)
        return endRequest(in: &message)
    }

    /// Begins the handshake on a fresh connection to the proxy, with credentials that the handshake itself does not
    /// keep.
    ///
    /// - Parameters:
    ///   - user: without a colon, which would end it (RFC 7617 section 2).
    ///   - message: takes the request, behind what it holds; as it was, where an error is thrown.
    /// - Throws: what cannot be asked for.
    public mutating func start(
        user: Span<UInt8>, password: Span<UInt8>, writing message: inout some ByteSink
    ) throws(ProtocolError) -> Action {
        guard user.count <= 255, password.count <= 255 else { throw .unusableCredentials }
        try Request.writeStart(for: destination, to: &message)
        Request.writeCredentials(user: user, password: password, to: &message)
        sentCredentials = true
        return endRequest(in: &message)
    }

    /// Takes what has arrived, as far as it belongs to the answer.
    ///
    /// After an error the handshake is over, and every further call throws `handshakeOver`.
    ///
    /// - Returns: how many of the bytes are the handshake's: all of them, unless it is established.
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

    /// The proxy closed the connection before the end of the answer.
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

    /// Returns for what leads on: success, and what is said before the answer proper.
    private func judge(_ status: Status) throws(ProtocolError) {
        if status.isSuccess || status.isInterim { return }
        // 401 is a server's word, and yet some proxies say it for 407.
        guard status == .proxyAuthenticationRequired || status == .unauthorized else { throw .rejected(status) }
        throw sentCredentials ? .credentialsRefused : .credentialsWanted
    }
}
