import Addressing

/// The client side of a SOCKS4 handshake: bytes in, actions out; it owns no socket and never waits.
///
/// It asks for exact lengths, because the bytes after the reply on the same connection belong to the application. Names
/// go to the proxy by SOCKS4a, which every proxy that resolves names understands.
///
///     start ─ request → reply → established
public struct ClientHandshake: Sendable {
    /// The longest request in bytes: with a user ID and a name of 255 bytes each.
    public static var messageCapacity: Int { 8 + 255 + 1 + 255 + 1 }

    private let destination: Endpoint
    private var state = State.idle

    private enum State {
        case idle
        case waitingForReply
        case over
    }

    /// The next step for the owner of the connection.
    public enum Action: Equatable, Sendable {
        /// Send the written message, then receive this number of bytes and pass them to `receive`.
        case send(thenReceive: Int)
        /// The request is granted: the connection is the application's.
        case established
    }

    public init(connectingTo destination: Endpoint) {
        self.destination = destination
    }

    // MARK: Progress

    /// The state in a word, from which another process can continue.
    public var progress: UInt64 {
        switch state {
        case .idle: 0
        case .waitingForReply: 1
        case .over: 2
        }
    }

    /// Restores a handshake; nil for an invalid word.
    @inline(never)
    public init?(connectingTo destination: Endpoint, progress: UInt64) {
        self.init(connectingTo: destination)
        switch progress {
        case 0: state = .idle
        case 1: state = .waitingForReply
        case 2: state = .over
        default: return nil
        }
    }

    // MARK: Steps

    /// Begins the handshake on a new connection to the proxy. The user ID is not stored.
    ///
    /// - Parameters:
    ///   - userID: empty for none.
    ///   - message: the request is appended; unchanged if an error is thrown.
    /// - Throws: an error if the protocol cannot express the request.
    public mutating func start(
        userID: Span<UInt8>, writing message: inout some ByteSink
    ) throws(ProtocolError) -> Action {
        let request = try Request(destination: destination, userID: userID)
        request.write(userID: userID, to: &message)
        state = .waitingForReply
        return .send(thenReceive: Reply.length)
    }

    /// Takes exactly the bytes that the last action asked for.
    ///
    /// After an error the handshake is over, and every further call throws `handshakeOver`.
    public mutating func receive(_ bytes: Span<UInt8>) throws(ProtocolError) -> Action {
        let current = state
        state = .over
        guard case .waitingForReply = current else { throw .handshakeOver }
        guard bytes.count == Reply.length else { throw .unexpectedLength(bytes.count) }
        try Reply.read(bytes)
        return .established
    }

    /// The proxy closed the connection after `bytes` of the expected ones.
    ///
    /// Some proxies close before they have sent a complete refusal, and a server of another protocol may send less than
    /// a reply; the received bytes then give the better error.
    public mutating func receiveEnd(after bytes: Span<UInt8>) -> ProtocolError {
        let current = state
        state = .over
        guard case .waitingForReply = current else { return .handshakeOver }
        do throws(ProtocolError) {
            try Reply.read(bytes)
        } catch {
            return error
        }
        return .closed
    }
}
