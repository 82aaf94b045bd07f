import Addressing
import CLibC
import FakeDNS
import ProxyConfig
import SOCKS5
import SocketTable

/// What a hook does with a call.
public enum Outcome {
    /// It is none of ours: libc's own function runs.
    case pass
    case succeeded
    case failed(Errno)
}

/// connect(2): the caller's own descriptor is connected to the first proxy, and the handshakes of the chain are made
/// on it, so that flags, options, descriptors and readiness stay what they are.
public enum Connect {
    public static func connect(
        _ descriptor: Int32, to address: UnsafePointer<sockaddr>?, length: socklen_t
    ) -> Outcome {
        guard let peer = SocketAddress(address, length: length) else {
            if let address, Int32(address.pointee.sa_family) == AF_UNSPEC { forget(descriptor) }
            return .pass
        }
        let runtime: UnsafePointer<Runtime>
        switch Runtime.state {
        case .ready(let pointer): runtime = pointer
        case .unusable: return .failed(.networkUnreachable)
        case .beingMade: return .pass
        }
        let target: Target
        switch decide(on: peer, runtime) {
        case .pass:
            // The program speaks with the proxy itself: whatever the socket was before, it is that no more.
            if runtime.pointee.firstHop.matches(peer), let cookie = Socket(descriptor: descriptor).cookie {
                runtime.pointee.sockets.remove(cookie: cookie)
            }
            return .pass
        case .refuse(let errno): return .failed(errno)
        case .proxy(let decided): target = decided
        }
        let socket = Socket(descriptor: descriptor)
        guard let isTCP = socket.isTCP else { return .pass }
        // What is no stream cannot go through the proxy, and must not go around it; but what is no IP goes nowhere.
        guard isTCP else { return socket.isInternet ? .failed(.networkUnreachable) : .pass }
        let connection = Connection(socket: socket, runtime: runtime)
        if let outcome = connection.resume() { return outcome }
        return connection.begin(peer: peer, target: target)
    }

    /// connect(2) with AF_UNSPEC ends what an earlier call left unfinished.
    private static func forget(_ descriptor: Int32) {
        guard let runtime = Runtime.existing, !runtime.pointee.parked.isEmpty,
            let cookie = Socket(descriptor: descriptor).cookie
        else { return }
        _ = runtime.pointee.parked.take(cookie: cookie)
    }

    /// What the last proxy is asked for. A name goes by its number, because it is long, and a signal handler's stack is
    /// small.
    enum Target {
        case address(IPAddress, port: UInt16)
        case name(number: UInt32, port: UInt16)
    }

    /// What is to be done about an address that a program sends to or connects to.
    enum Decision {
        case pass
        case refuse(Errno)
        case proxy(Target)
    }

    static func decide(on peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Decision {
        let target: Target
        switch runtime.pointee.meaning(of: peer.address) {
        case .name(let number):
            guard runtime.pointee.names.holds(number) else { return .refuse(.hostUnreachable) }
            target = .name(number: number, port: peer.port)
        case .real:
            switch runtime.pointee.configuration.route(to: peer.address, port: peer.port) {
            case .direct: return .pass
            case .refuse(.unspecifiedAddress): return .refuse(.connectionRefused)
            case .refuse(.unknownName): return .refuse(.hostUnreachable)
            case .proxy(let address, let port): target = .address(address, port: port)
            }
        }
        switch runtime.pointee.firstHop.lookUp() {
        case .underWay: return .pass
        case .failed:
            Log.write(.error, runtime.pointee.configuration) { line in
                line.append("the proxy's name cannot be resolved")
            }
            return .refuse(.hostUnreachable)
        case .found:
            return runtime.pointee.firstHop.matches(peer) ? .pass : .proxy(target)
        }
    }
}

/// One socket on its way through the proxies.
private struct Connection {
    let socket: Socket
    let runtime: UnsafePointer<Runtime>

    private var configuration: Configuration { runtime.pointee.configuration }

    func begin(peer: SocketAddress, target: Connect.Target) -> Outcome {
        guard let proxy = runtime.pointee.firstHop.address(for: peer) else {
            Log.write(.error, configuration) { line in
                line.append("the proxy has an IPv6 address alone, which an IPv4 socket cannot reach")
            }
            return .failed(.networkUnreachable)
        }
        guard let destination = endpoint(target) else { return .failed(.hostUnreachable) }
        var handshake = Handshake(to: destination, peer: peer, configuration: configuration)
        do {
            try connect(to: proxy)
            handshake.connected()
        } catch {
            switch error {
            case .inProgress where socket.isNonBlocking:
                return drive(&handshake, isNonBlocking: true)
            case .interrupted where socket.sendTimeout == nil && kernel_some_handler_interrupts() == 0:
                // By a configured limit that stood in SO_SNDTIMEO's place: without it the kernel would have gone on.
                return drive(&handshake, isNonBlocking: false)
            case .inProgress, .interrupted:
                return park(&handshake, reason: error)
            case .timedOut, .connectionRefused, .networkUnreachable, .hostUnreachable:
                return fail(&handshake, .kernel(error))
            default:
                // Of the socket's state, not of the proxy: EISCONN, EALREADY and the like.
                return .failed(error)
            }
        }
        return drive(&handshake, isNonBlocking: false)
    }

    /// nil for a name that was replaced meanwhile.
    private func endpoint(_ target: Connect.Target) -> Endpoint? {
        switch target {
        case .address(let address, let port): return Endpoint(host: .address(address), port: port)
        case .name(let number, let port):
            return runtime.pointee.names.name(of: number).map { Endpoint(host: .name($0), port: port) }
        }
    }

    /// Goes on with the handshake that an earlier connect(2) left; nil when there is none.
    func resume() -> Outcome? {
        guard !runtime.pointee.parked.isEmpty, let cookie = socket.cookie,
            var handshake = runtime.pointee.parked.take(cookie: cookie)
        else { return nil }
        return drive(&handshake, isNonBlocking: socket.isNonBlocking, isResumed: true)
    }

    /// Connects to the first proxy, in the configured time.
    ///
    /// A blocking connect(2) has no limit but SO_SNDTIMEO, so a configured one that is shorter stands there meanwhile.
    private func connect(to proxy: SocketAddress) throws(Errno) {
        let limit = configuration.connectTimeout
        guard limit > 0, !socket.isNonBlocking else { return try socket.connect(to: proxy) }
        let sendTimeout = socket.sendTimeout
        if let sendTimeout, sendTimeout <= limit { return try socket.connect(to: proxy) }
        socket.setSendTimeout(milliseconds: limit)
        defer { socket.setSendTimeout(milliseconds: sendTimeout) }
        do {
            try socket.connect(to: proxy)
        } catch {
            guard error == .inProgress else { throw error }
            socket.disconnect()
            throw .timedOut
        }
    }

    private func drive(_ handshake: inout Handshake, isNonBlocking: Bool, isResumed: Bool = false) -> Outcome {
        let driver = HandshakeDriver(
            socket: socket, configuration: configuration, isNonBlocking: isNonBlocking,
            began: isResumed ? Clock.now : handshake.started)
        switch driver.drive(&handshake) {
        case .established:
            if let cookie = socket.cookie { runtime.pointee.sockets.insert(handshake.peer, cookie: cookie) }
            report(&handshake)
            return .succeeded
        case .sendTimeoutOver:
            return park(&handshake, reason: isResumed ? .alreadyInProgress : .inProgress)
        case .interrupted:
            return park(&handshake, reason: .interrupted)
        case .failed(let error):
            return fail(&handshake, error)
        }
    }

    /// Leaves the handshake to the next call, and fails with `reason` now.
    @inline(never)
    private func park(_ handshake: inout Handshake, reason: Errno) -> Outcome {
        guard let cookie = socket.cookie, runtime.pointee.parked.park(handshake, cookie: cookie) else {
            socket.disconnect()
            return .failed(Errno(ENOBUFS))
        }
        return .failed(reason)
    }

    /// Gives the socket back as it was before the call.
    @inline(never)
    private func fail(_ handshake: inout Handshake, _ error: HandshakeError) -> Outcome {
        socket.disconnect()
        report(&handshake, error)
        return .failed(error.errno)
    }

    @inline(never)
    private func report(_ handshake: inout Handshake) {
        Log.write(.info, configuration) { line in
            line.append("tcp ")
            handshake.destination.write(to: &line)
            line.append(" via ")
            writeProxy(handshake.hop, to: &line)
            line.append(" in ")
            line.append(decimal: Clock.now - handshake.started)
            line.append(" ms")
        }
    }

    /// A proxy that cannot be spoken with is what a person must know of; a target that it cannot reach is what the
    /// program tells in its own words.
    @inline(never)
    private func report(_ handshake: inout Handshake, _ error: HandshakeError) {
        var level = LogLevel.error
        if case .proxy(.rejected) = error, handshake.hop + 1 == configuration.proxies.count { level = .info }
        Log.write(level, configuration) { line in
            line.append("tcp ")
            handshake.destination.write(to: &line)
            line.append(": proxy ")
            writeProxy(handshake.hop, to: &line)
            line.append(" ")
            switch error {
            case .proxy(let error): error.write(to: &line)
            case .timedOut: line.append("did not answer in time")
            case .kernel(let errno):
                line.append(handshake.isConnecting ? "cannot be connected to: " : "failed: ")
                errno.write(to: &line)
            }
        }
    }

    private func writeProxy(_ hop: Int, to line: inout LogLine) {
        guard hop < configuration.proxies.count else { return }
        let proxy = configuration.proxies[hop]
        Endpoint(host: proxy.host, port: proxy.port).write(to: &line)
    }
}
