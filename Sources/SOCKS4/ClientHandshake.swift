import Addressing

/// The client's side of a SOCKS4 handshake: bytes in, actions out; it owns no socket and never waits.
///
/// It asks for exact lengths, because whatever follows the reply on the same connection belongs to the application. A
/// name goes to the proxy as SOCKS4a says; every proxy that resolves names understands that.
///
///     start ─ request → reply → established
public struct ClientHandshake: Sendable {
    /// The room that the request needs at most: that of a user ID and a name of 255 bytes each.
    public static var messageCapacity: Int { 8 + 255 + 1 + 255 + 1 }

    private let destination: Endpoint
    private var state = State.idle

    private enum State {
        case idle
        case waitingForReply
        case over
    }

    /// What the owner of the connection does next.
    public enum Action: Equatable, Sendable {
        /// Send the message that was written, then receive so many bytes and hand them to `receive`.
        case send(thenReceive: Int)
        /// The request is granted: the connection is the application's.
        case established
    }

    public init(connectingTo destination: Endpoint) {
        self.destination = destination
    }

    // MARK: Progress

    /// How far it has come, in a word by which another process goes on.
    public var progress: UInt64 {
        switch state {
        case .idle: 0
        case .waitingForReply: 1
        case .over: 2
        }
    }

    /// A handshake that has come so far; nil for a word that says nothing of the kind.
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

    /// Begins the handshake on a fresh connection to the proxy. The handshake itself does not keep the user ID.
    ///
    /// - Parameters:
    ///   - userID: empty for none.
    ///   - message: takes the request, behind what it holds; as it was, where an error is thrown.
    /// - Throws: what the protocol has no form for.
    public mutating func start(
        userID: Span<UInt8>, writing message: inout some ByteSink
    ) throws(ProtocolError) -> Action {
        let request = try Request(destination: destination, userID: userID)
        request.write(userID: userID, to: &message)
        state = .waitingForReply
        return .send(thenReceive: Reply.length)
    }

    /// Takes the bytes that the last action asked for, neither more nor fewer.
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

    /// The proxy closed the connection after `bytes` of those that were asked for.
    ///
    /// Some proxies close before the whole of a refusal is out, and what speaks another protocol may say less than a
    /// reply; what is there is then the better reason.
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
