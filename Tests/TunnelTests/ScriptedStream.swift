import ProxyConfig
import Tunnel

/// A stream whose other side says what a test has it say, as much at a time as the test lets through.
final class ScriptedStream: ByteStream {
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: HandshakeBuffers.size, alignment: 8)

    deinit { memory.deallocate() }

    enum Failure: TunnelFailure, Equatable {
        case proxy(ProxyError)
        case broken
    }

    /// What was sent, and not taken yet.
    private(set) var sent: [UInt8] = []
    /// How many bytes it takes before a call would have to wait.
    var room = Int.max
    /// What has arrived.
    var incoming: [UInt8] = []
    /// Whether nothing comes after that.
    var isEnded = false
    /// Whether the next call fails.
    var isBroken = false

    /// Has the handshake go as far as it can.
    func advance(
        _ handshake: inout ChainHandshake, through proxies: [Proxy], isolation: IsolationCredentials? = nil
    ) throws(Failure) -> ChainHandshake.Progress {
        try handshake.advance(
            over: self, through: proxies.span, isolation: isolation, HandshakeBuffers(memory: memory))
    }

    func takeSent() -> [UInt8] {
        defer { sent = [] }
        return sent
    }

    /// What the next calls of `secure` return; done once there are none left.
    var securing: [Securing] = []
    /// Of which proxies contexts were asked for.
    private(set) var secured: [Int] = []

    func secure(_ index: Int, _ proxies: Span<Proxy>) throws(Failure) -> Securing {
        if isBroken { throw .broken }
        secured.append(index)
        return securing.isEmpty ? .done : securing.removeFirst()
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> Int? {
        if isBroken { throw .broken }
        let count = min(bytes.count, room)
        guard count > 0 else { return nil }
        sent += bytes[..<count]
        room -= count
        return count
    }

    func receive(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int? {
        let count = try peek(into: room)
        incoming.removeFirst(count ?? 0)
        return count
    }

    func peek(into room: UnsafeMutableRawBufferPointer) throws(Failure) -> Int? {
        if isBroken { throw .broken }
        if incoming.isEmpty { return isEnded ? 0 : nil }
        let count = min(incoming.count, room.count)
        room.copyBytes(from: incoming.prefix(count))
        return count
    }
}
