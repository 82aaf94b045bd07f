import Addressing
import CKernel
import FakeDNS
import SOCKS5
import Tunnel

/// A DNS query on its way through the proxies: as a message over TCP to a server (RFC 7766), or as one of Tor's
/// commands. In private memory, which its owner gives back.
struct DNSTransaction {
    private let memory: UnsafeMutableRawPointer

    private static var queryOffset: Int { 1024 }
    /// Two bytes of length, and a query; programs send none that is longer.
    private static var answerOffset: Int { queryOffset + 2 + largestQuery }
    private static var size: Int { answerOffset + 2 + 65_535 }
    static var largestQuery: Int { 4096 }
    /// Milliseconds for an answer: twice the time that resolv.conf(5) gives a server.
    static var longestAnswer: Int { 10_000 }

    /// Who gets the answer.
    enum Asker {
        /// The relayed socket in this slot, with this cookie and descriptor. It asked this server.
        case datagram(slot: Int, cookie: UInt64, descriptor: Int32, server: SocketAddress)
        /// A call that waits.
        case call
    }

    /// The result.
    enum End {
        case underWay
        /// With a message of this many bytes that answers the query.
        case message(Int)
        /// With BND of the reply.
        case resolved(Endpoint)
        /// Without an answer: the proxy, the server or the connection failed.
        case failed
        /// The proxy says that the name or address does not exist.
        case notFound
    }

    private struct State {
        let asker: Asker
        /// When the question came, in milliseconds of `Clock`.
        let since = Clock.now
        let queryLength: Int
        var isMessageUnderWay = false
        var sent = 0
        var received = 0
        var end = End.underWay
    }

    private var state: UnsafeMutablePointer<State> { memory.assumingMemoryBound(to: State.self) }

    /// - Parameter query: a message, truncated to `largestQuery` bytes.
    /// - Returns: nil without memory.
    init?(_ query: Span<UInt8>, for asker: Asker) {
        guard let memory = Mapping(DNSTransaction.size)?.start else { return nil }
        self.memory = memory
        let length = min(query.count, DNSTransaction.largestQuery)
        state.initialize(to: State(asker: asker, queryLength: length))
        let start = memory + DNSTransaction.queryOffset
        start.storeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian, as: UInt16.self)
        query.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: start + 2, count: length)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<length]))
        }
    }

    /// A waiting one (Questions); nil for 0.
    init?(at address: UInt64) {
        guard let memory = UnsafeMutableRawPointer(bitPattern: UInt(address)) else { return nil }
        self.memory = memory
    }

    var address: UInt64 { UInt64(UInt(bitPattern: memory)) }

    func unmap() { Mapping(memory, DNSTransaction.size).unmap() }

    var asker: Asker { state.pointee.asker }
    /// Whether a datagram has asked so long ago that no one waits any more.
    var isForgotten: Bool { Clock.now - state.pointee.since > DNSTransaction.longestAnswer }
    var end: End { state.pointee.end }

    var query: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + DNSTransaction.queryOffset + 2, count: state.pointee.queryLength)
    }

    /// The buffer for the answer; a message lies at its start.
    var answer: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory + DNSTransaction.answerOffset + 2, count: 65_535)
    }

    // MARK: On the connection

    /// Whether the handshakes are over, and the message is on its way.
    var isUnderWay: Bool { state.pointee.isMessageUnderWay }

    var readiness: Socket.Readiness {
        state.pointee.sent < 2 + state.pointee.queryLength ? .toWrite : .toRead
    }

    /// The proxies' handshakes are over.
    ///
    /// - Parameter reply: BND of the last one's reply.
    func begin(
        on stream: SocketStream, reply: Endpoint?, for command: Command
    ) throws(HandshakeError) -> Handshake.Progress {
        if command == .connect {
            state.pointee.isMessageUnderWay = true
            return try advance(on: stream)
        }
        state.pointee.end = reply.map { .resolved($0) } ?? .failed
        return .established
    }

    /// Steps as far as the stream allows.
    func advance(on stream: SocketStream) throws(HandshakeError) -> Handshake.Progress {
        let message = UnsafeRawBufferPointer(
            start: memory + DNSTransaction.queryOffset, count: 2 + state.pointee.queryLength)
        while state.pointee.sent < message.count {
            let rest = UnsafeRawBufferPointer(rebasing: message[state.pointee.sent...])
            guard let count = try stream.send(rest) else { return .waiting }
            state.pointee.sent += count
        }
        let start = memory + DNSTransaction.answerOffset
        while true {
            var wanted = 2
            if state.pointee.received >= 2 {
                wanted += Int(UInt16(bigEndian: start.load(as: UInt16.self)))
                if state.pointee.received >= wanted {
                    state.pointee.end = isAnswer(count: wanted - 2) ? .message(wanted - 2) : .failed
                    return .established
                }
            }
            let room = UnsafeMutableRawBufferPointer(
                start: start + state.pointee.received, count: wanted - state.pointee.received)
            guard let count = try stream.receive(into: room) else { return .waiting }
            guard count > 0 else { throw .kernel(.connectionReset) }
            state.pointee.received += count
        }
    }

    /// Whether this many bytes of the buffer answer the query. No other server is asked: the program would wait in vain
    /// for an answer that it rejects.
    private func isAnswer(count: Int) -> Bool {
        guard let query = DNSQuery(Span(_unsafeElements: query.bindMemory(to: UInt8.self))) else { return false }
        let message = UnsafeRawBufferPointer(rebasing: answer[..<count]).bindMemory(to: UInt8.self)
        return (try? DNSResponse(Span(_unsafeElements: message), to: query)) != nil
    }

    /// Stores the result. A waiting call sees it.
    ///
    /// - Parameter isOfResolver: whether a proxy that was asked to resolve has caused the error. Of others "host
    ///   unreachable" says that the one who is to be asked cannot be reached.
    func conclude(_ error: HandshakeError?, isOfResolver: Bool) {
        guard let error else { return }
        state.pointee.end = .failed
        if isOfResolver, case .proxy(.socks5(.rejected(.hostUnreachable))) = error { state.pointee.end = .notFound }
    }
}
