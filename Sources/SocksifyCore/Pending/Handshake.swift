import Addressing
import CKernel
import HTTPConnect
import ProxyConfig
import SOCKS4
import SOCKS5
import SharedTables
import Tunnel

/// The making of one socket's connection: the TCP connection to the first proxy of a chain, then the handshakes over
/// it; if that fails, the same by another address or chain.
///
/// `advance` steps it as far as the socket allows, never waits, and may be called by any thread that finds the socket
/// ready. It holds no reference and allocates nothing, so that it fits into a fixed slot.
struct Handshake {
    /// The program's peer.
    let peer: SocketAddress
    /// The family of the program's socket.
    let family: SocketFamily
    /// The index in the configuration of the list of proxies.
    let list: Int
    /// The beginning, in milliseconds of `Clock`.
    let started: Int
    /// The beginning of the present TCP connection.
    private(set) var attempted: Int
    /// The index of the first proxy's address.
    private(set) var address = 0
    /// The proxies that have failed for this connection.
    var failed: ProxySet
    /// The deadline of the present answer; nil before the first wait for it.
    var deadline: Int?
    /// Whether the TCP connection to the first proxy is pending.
    private(set) var isConnecting = true
    /// The handshakes over it.
    private(set) var tunnel: ChainHandshake
    /// When the last message was sent, in milliseconds of `Clock`; 0 if another process sent it.
    private var asked = 0

    /// The result of a step.
    enum Progress {
        /// The next step needs the socket's `readiness`.
        case waiting
        /// The program has the connection.
        case established
    }

    /// - Parameter failed: proxies that no chain may contain.
    init(
        for request: SOCKS5.Request, peer: SocketAddress, family: SocketFamily, list: Int, chain: Chain,
        failed: ProxySet
    ) {
        self.peer = peer
        self.family = family
        self.list = list
        self.failed = failed
        tunnel = ChainHandshake(for: request, through: chain)
        started = Clock.now
        attempted = started
    }

    /// The request to the last proxy.
    var request: SOCKS5.Request { tunnel.request }
    /// DST.ADDR and DST.PORT for the last proxy.
    var destination: Endpoint { tunnel.request.destination }
    /// The proxies of the connection.
    var chain: Chain { tunnel.chain }
    /// The index in the chain of the present proxy.
    var hop: Int { tunnel.hop }
    var isAtLastHop: Bool { tunnel.isAtLastHop }

    /// Whether the present answer depends on the destination, and not only on proxies.
    var waitsForDestination: Bool { !isConnecting && tunnel.waitsForDestination }

    /// The events that the next step needs.
    var readiness: Socket.Readiness { !isConnecting && tunnel.waitsToReceive ? .toRead : .toWrite }

    // MARK: Attempts

    /// Begins another TCP connection, to the next address of the first proxy.
    mutating func beginAtNextAddress() {
        let next = address + 1
        begin(chain)
        address = next
    }

    /// Begins another TCP connection, to the first proxy of another chain.
    mutating func begin(_ chain: Chain) {
        tunnel.begin(through: chain)
        address = 0
        attempted = Clock.now
        deadline = nil
        isConnecting = true
    }

    /// The TCP connection to the first proxy is established.
    mutating func connected(_ socket: Socket) {
        if request.command == .udpAssociate {
            tunnel.ask(for: .associating(overIPv6: socket.domain == AF_INET6))
        }
        deadline = nil
        isConnecting = false
    }

    // MARK: Steps

    /// Steps as far as the connected socket allows.
    ///
    /// - Parameter receivesAtOnce: whether to look for an answer right after its question: it cannot be there yet, but a
    ///   proxy may have sent it unasked, and nobody tells of it again.
    mutating func advance(
        on stream: SocketStream, _ buffers: HandshakeBuffers, receivesAtOnce: Bool
    ) throws(HandshakeError) -> Progress {
        let connections = stream.security.connections
        let isolation = connections.pointee.isolation.credentials
        while true {
            do throws(HandshakeError) {
                switch try tunnel.advance(
                    over: stream, through: connections.pointee.names.proxies.configuration.proxies.span,
                    isolation: isolation, buffers)
                {
                case .waiting: return .waiting
                case .established: return .established
                case .asked:
                    deadline = nil
                    asked = Clock.now
                    if !receivesAtOnce { return .waiting }
                }
            } catch {
                if case .proxy(let refusal) = error, refusal.isOfTime, tunnel.isAnswered, isAnsweredAtOnce {
                    throw .refusedAtOnce(refusal)
                }
                throw error
            }
        }
    }

    /// Whether the answer came sooner than a timeout can be: the kernel sends a second SYN after one second.
    private var isAnsweredAtOnce: Bool { Clock.now - asked < 1000 }

    /// Whose failure the error is.
    func culprit(of error: HandshakeError) -> ChainHandshake.Culprit { tunnel.culprit(of: error.kind) }
}

// MARK: Words

/// The shared words: numbers, and the rest of the messages. Only the program's own connections are written.
extension Handshake {
    /// The most words that it is written as.
    static var wordCount: Int {
        4 + WordCursor.endpointWordCount + 2 + Chain.capacity + 1 + 8 + 3 + 2 + 1
            + (HandshakeBuffers.longestMessage + 7) / 8 + (HandshakeBuffers.longestAnswer + 7) / 8
    }

    /// The latest valid time: 500 years in milliseconds.
    private static var latest: UInt64 { 1 << 44 }

    private static var isIPv6: UInt32 { 1 }
    private static var isIPv6Only: UInt32 { 2 }
    private static var isAskedFor: UInt32 { 4 }
    private static var isConnecting: UInt32 { 8 }

    @inline(never)
    mutating func write(to words: inout WordCursor, _ buffers: HandshakeBuffers) {
        let position = tunnel.position
        words.write(peer)
        words.write(destination)
        var flags = UInt32(position.stage) << 8
        if family.domain == AF_INET6 { flags |= Handshake.isIPv6 }
        if family.isIPv6Only { flags |= Handshake.isIPv6Only }
        if position.isAskedFor { flags |= Handshake.isAskedFor }
        if isConnecting { flags |= Handshake.isConnecting }
        words.write(UInt32(truncatingIfNeeded: list), flags)
        words.write(UInt64(chain.count))
        for index in 0..<chain.count { words.write(UInt64(chain[index] ?? 0)) }
        words.write(position.hop, UInt32(truncatingIfNeeded: address))
        for index in failed.words.indices { words.write(failed.words[index]) }
        words.write(UInt64(started))
        words.write(UInt64(attempted))
        words.write(UInt64(deadline ?? 0))
        words.write(position.outgoing, position.sent)
        words.write(position.received, position.wanted)
        words.write(position.progress)
        words.write(
            UnsafeRawBufferPointer(rebasing: buffers.outgoing[Int(position.sent)..<Int(position.outgoing)]))
        words.write(UnsafeRawBufferPointer(rebasing: buffers.incoming[..<Int(position.received)]))
    }

    /// nil for words that are no handshake. The words may still be half written.
    @inline(never)
    init?(from words: inout WordCursor, _ buffers: HandshakeBuffers, _ proxies: borrowing Proxies) {
        peer = words.readSocketAddress()
        guard let destination = words.readEndpoint() else { return nil }
        let (list, flags) = words.readHalves()
        family = SocketFamily(
            domain: flags & Handshake.isIPv6 == 0 ? AF_INET : AF_INET6, isIPv6Only: flags & Handshake.isIPv6Only != 0)
        self.list = Int(list)
        guard self.list < proxies.configuration.lists.count else { return nil }
        var chain = Chain()
        for _ in 0..<words.read(upTo: UInt64(Chain.capacity)) {
            let position = Int(words.read(upTo: UInt64(UInt16.max)))
            guard position < proxies.configuration.proxies.count, chain.append(position) else { return nil }
        }
        let (hop, address) = words.readHalves()
        self.address = Int(address)
        var failed = ProxySet().words
        for index in failed.indices { failed[index] = words.read() }
        self.failed = ProxySet(words: failed)
        started = Int(words.read(upTo: Handshake.latest))
        attempted = Int(words.read(upTo: Handshake.latest))
        let deadline = Int(words.read(upTo: Handshake.latest))
        if deadline > 0 { self.deadline = deadline }
        let (outgoing, sent) = words.readHalves()
        let (received, wanted) = words.readHalves()
        let position = ChainHandshake.Position(
            stage: UInt8(truncatingIfNeeded: flags >> 8), isAskedFor: flags & Handshake.isAskedFor != 0, hop: hop,
            outgoing: outgoing, sent: sent, received: received, wanted: wanted, progress: words.read())
        guard
            let tunnel = ChainHandshake(
                for: SOCKS5.Request(command: .connect, destination: destination), through: chain, at: position,
                proxies.configuration.proxies.span, isolation: proxies.isolation.credentials)
        else { return nil }
        self.tunnel = tunnel
        isConnecting = flags & Handshake.isConnecting != 0
        words.read(into: UnsafeMutableRawBufferPointer(rebasing: buffers.outgoing[Int(sent)..<Int(outgoing)]))
        words.read(into: UnsafeMutableRawBufferPointer(rebasing: buffers.incoming[..<Int(received)]))
    }
}

extension ProxyError {
    /// Whether the refusal says that the proxy waited in vain.
    fileprivate var isOfTime: Bool {
        // HTTP 504 (ncat), SOCKS4 92 (tiny-proxy)
        self == .http(.rejected(.gatewayTimeout)) || self == .socks4(.rejected(.identUnreachable))
    }
}
