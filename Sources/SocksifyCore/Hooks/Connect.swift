import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SharedTables

/// connect(2): connects the caller's own descriptor to the first proxy and makes the handshakes of the chain on it, so
/// that flags, options, descriptors and readiness stay as they are.
public enum Connect {
    public static func connect(
        _ descriptor: Int32, to address: UnsafePointer<sockaddr>?, length: socklen_t
    ) -> HookResult {
        guard let peer = SocketAddress(address, length: length) else {
            if let address, Int32(address.pointee.sa_family) == AF_UNSPEC { return dissolve(descriptor) }
            // Like the kernel, looks at the socket before the address, unless the address is too long for any family.
            guard length <= MemoryLayout<sockaddr_storage>.size else { return .pass }
            return Runtime.existing.flatMap { Connection.resume(descriptor, $0) } ?? .pass
        }
        let runtime: UnsafePointer<Runtime>
        switch Runtime.state {
        case .ready(let pointer): runtime = pointer
        case .unusable: return .failed(.networkUnreachable)
        case .short(let errno): return .failed(errno)
        }
        if let outcome = Connection.resume(descriptor, runtime) { return outcome }
        let socket = Socket(descriptor: descriptor)
        let outcome = connect(socket, to: peer, runtime)
        if case .direct(let reason) = outcome { reason.log(.connecting, by: socket, to: peer, runtime.pointee.names) }
        return outcome
    }

    private static func connect(
        _ socket: Socket, to peer: SocketAddress, _ runtime: UnsafePointer<Runtime>
    ) -> HookResult {
        let decision = decide(on: peer, runtime)
        if case .direct(let reason) = decision { return pass(socket, to: peer, reason, runtime) }
        let transport = socket.transport
        if transport == .other, socket.isInternet { return UnsupportedProtocols.send(to: peer, runtime) }
        let (target, list): (Target, Int)
        switch decision {
        case .direct(let reason): return .direct(reason)
        case .refuse(let errno):
            if transport == .udp, socket.isInternet {
                return Datagram.connect(socket, to: peer, runtime.pointee.datagrams)
            }
            return .failed(errno)
        case .directToName(let number, let reason):
            return connect(socket, toName: number, as: peer, reason, runtime)
        case .proxy(let decided, let decidedList): (target, list) = (decided, decidedList)
        }
        guard let transport else { return .pass(unlessRefused: socket) }
        guard transport == .tcp || runtime.pointee.connections.pointee.original(of: socket) != nil else {
            switch socket.domain {
            case AF_INET, AF_INET6: return Datagram.connect(socket, to: peer, runtime.pointee.datagrams)
            case -1: return .pass(unlessRefused: socket)
            // Other families than IP are not proxied.
            default: return .pass
            }
        }
        do throws(Errno) {
            return try Connection.begin(on: socket, to: peer, target, throughList: list, runtime)
        } catch {
            return .failed(error)
        }
    }

    /// Before the program connects direct.
    private static func pass(
        _ socket: Socket, to peer: SocketAddress, _ reason: DirectReason, _ runtime: UnsafePointer<Runtime>
    ) -> HookResult {
        // A stream goes direct where a datagram does, unless a rule is for one of them only.
        if peer.port == 53 || descriptor_may_be_relayed(socket.descriptor) != 0 || SocketOptions.mayHold(socket)
            || !runtime.pointee.configuration.rules.isEmpty
        {
            switch socket.transport {
            case .udp where socket.isInternet: return Datagram.connect(socket, to: peer, runtime.pointee.datagrams)
            case .udp where socket.domain == -1: return .pass(unlessRefused: socket)
            case .tcp, .udp, .other: break
            case nil: return .pass(unlessRefused: socket)
            }
        }
        // The program itself speaks with the proxy: the socket loses its former state.
        if runtime.pointee.proxyAddresses.matches(peer), let cookie = socket.cookie {
            runtime.pointee.sockets.remove(cookie: cookie)
        }
        do throws(Errno) {
            try SubstituteSocket.undo(socket.descriptor, runtime.pointee.connections)
        } catch {
            return .failed(error)
        }
        return .direct(reason)
    }

    /// Connects direct to a name of which the program knows only a reserved address. The name is looked up now: its
    /// rules may depend on the port, which the lookup did not know.
    private static func connect(
        _ socket: Socket, toName number: UInt32, as peer: SocketAddress, _ reason: Reason,
        _ runtime: UnsafePointer<Runtime>
    ) -> HookResult {
        do throws(Errno) {
            try SubstituteSocket.undo(socket.descriptor, runtime.pointee.connections)
        } catch {
            return .failed(error)
        }
        guard socket.isTCP == true else { return Datagram.connect(socket, to: peer, runtime.pointee.datagrams) }
        DirectReason.configured(reason).log(.connecting, by: socket, to: peer, runtime.pointee.names)
        let family = socket.domain == AF_INET ? AF_INET : AF_UNSPEC
        guard let name = runtime.pointee.names.name(of: number),
            case .addresses(let list) = LocalNames.addresses(of: name, family: family)
        else { return .failed(.hostUnreachable) }
        if let cookie = socket.cookie { runtime.pointee.sockets.remove(cookie: cookie) }
        var failure = Errno.hostUnreachable
        for index in 0..<list.count {
            LocalNames.remember(list[index], of: number, runtime.pointee.names)
            let location = ProxyLocation.internet(list[index], port: peer.port)
            guard let address = ProxyAddress(location, on: peer.domain) else { continue }
            do {
                try socket.connect(to: address)
                return .succeeded
            } catch {
                failure = error
                guard error == .connectionRefused || error == .hostUnreachable || error == .networkUnreachable else {
                    break
                }
            }
        }
        return .failed(failure)
    }

    /// connect(2) with AF_UNSPEC ends what an earlier call has begun.
    private static func dissolve(_ descriptor: Int32) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        if descriptor_may_be_relayed(descriptor) != 0 { Datagram.disconnect(descriptor, runtime.pointee.datagrams) }
        let socket = Socket(descriptor: descriptor)
        if let cookie = socket.cookie, runtime.pointee.sockets.shut(cookie: cookie) != nil {
            runtime.pointee.sockets.remove(cookie: cookie)
        }
        if !PendingTable.isEmpty,
            case .entered(var pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        {
            defer { pending.leave() }
            return pending.dissolve()
        }
        do throws(Errno) {
            return try SubstituteSocket.dissolve(descriptor, runtime.pointee.connections) ? .succeeded : .pass
        } catch {
            return .failed(error)
        }
    }

    /// What the last proxy is asked for. A name is given by its number: it is long, and the stack of a signal handler
    /// is small.
    enum Target {
        case address(IPAddress, port: UInt16)
        case name(number: UInt32, port: UInt16)
    }

    /// What to do about an address that a program sends or connects to.
    enum Decision {
        case direct(DirectReason)
        case refuse(Errno)
        /// See `RoutedDestination.directToName`.
        case directToName(UInt32, Reason)
        /// Through a chain of the list at this index in `Configuration.lists`.
        case proxy(Target, list: Int)
    }

    static func decide(on peer: SocketAddress, _ runtime: UnsafePointer<Runtime>) -> Decision {
        let target: Target
        let list: Int
        switch RoutedDestination.of(peer.address, port: peer.port, .connect, runtime.pointee.names) {
        case .direct(let reason): return .direct(.configured(reason))
        case .directToName(let number, let reason): return .directToName(number, reason)
        case .refuse(let errno): return .refuse(errno)
        case .proxy where peer.namesLink: return .refuse(.networkUnreachable)
        case .proxy(let decided, let address, let port): (target, list) = (.address(address, port: port), decided)
        case .proxyToName(let decided, let number): (target, list) = (.name(number: number, port: peer.port), decided)
        }
        switch runtime.pointee.proxies.findProxies() {
        case .itself: return .direct(.proxyLookup)
        case .done: return runtime.pointee.proxyAddresses.matches(peer) ? .direct(.proxy) : .proxy(target, list: list)
        }
    }
}

/// A socket on its way through the proxies, in one call of connect(2).
private struct Connection {
    let socket: Socket
    let cookie: UInt64
    let isNonBlocking: Bool
    let runtime: UnsafePointer<Runtime>

    private var configuration: Configuration { runtime.pointee.configuration }
    private var table: PendingTable { runtime.pointee.pendingTable }

    /// Continues the connection that an earlier call has begun; nil if there is none.
    static func resume(_ descriptor: Int32, _ runtime: UnsafePointer<Runtime>) -> HookResult? {
        guard descriptor_may_be_pending(descriptor) != 0 else { return nil }
        switch PendingHandle.of(descriptor, runtime.pointee.connections) {
        case .none: return nil
        case .busy: return .failed(.alreadyInProgress)
        case .refused(let errno): return .failed(errno)
        case .entered(var pending):
            defer { pending.leave() }
            switch pending.step() {
            case .established: return told(Socket(descriptor: descriptor), runtime)
            case .failed: return pending.takeFailure(by: .connect).map { .failed($0) }
            case .underWay: break
            }
        }
        let socket = Socket(descriptor: descriptor)
        guard !socket.isNonBlocking, let cookie = socket.cookie else { return .failed(.alreadyInProgress) }
        let connection = Connection(socket: socket, cookie: cookie, isNonBlocking: false, runtime: runtime)
        let outcome = connection.drive(since: Clock.now, whenTimeIsOver: .alreadyInProgress)
        guard case .succeeded = outcome else { return outcome }
        return told(socket, runtime)
    }

    /// Reports the connection as established. The next connect(2) returns EISCONN.
    private static func told(_ socket: Socket, _ runtime: UnsafePointer<Runtime>) -> HookResult {
        if let cookie = socket.cookie { _ = acknowledge(socket, cookie, runtime) }
        return .succeeded
    }

    /// Begins the connection on a socket that can reach the first proxy's address.
    static func begin(
        on socket: Socket, to peer: SocketAddress, _ target: Connect.Target, throughList list: Int,
        _ runtime: UnsafePointer<Runtime>
    ) throws(Errno) -> HookResult {
        guard let destination = endpoint(target, runtime) else { throw .hostUnreachable }
        guard let cookie = socket.cookie else { throw .outOfBuffers }
        if let outcome = acknowledge(socket, cookie, runtime) { return outcome }
        let shut = runtime.pointee.sockets.shut(cookie: cookie)
        if shut != nil { try socket.disconnect() }
        let request = Request(command: .connect, destination: destination)
        let family = try SubstituteSocket.family(of: socket, peer: peer, runtime.pointee.connections)
        var failed = ProxySet()
        let selected = try runtime.pointee.proxies.selectChain(throughList: list, for: request, from: family, &failed)
        let connectable = try SubstituteSocket.connectable(
            socket, cookie, family, to: selected.hop, runtime.pointee.connections)
        guard
            let entered = runtime.pointee.pendingTable.add(
                PendingConnection(
                    Handshake(
                        for: request, peer: peer, family: family, list: list, chain: selected.chain, failed: failed),
                    descriptor: socket.descriptor),
                cookie: connectable.cookie)
        else {
            connectable.registrations?.restore()
            throw .outOfBuffers
        }
        entered.record.pointee.shut = shut ?? 0
        return Connection(
            socket: socket, cookie: connectable.cookie, isNonBlocking: socket.isNonBlocking, runtime: runtime
        ).begin(entered, connectable)
    }

    /// The result for an established connection: 0 once after a non-blocking connect(2), then EISCONN; nil if the
    /// socket has none through the proxies.
    private static func acknowledge(
        _ socket: Socket, _ cookie: UInt64, _ runtime: UnsafePointer<Runtime>
    ) -> HookResult? {
        guard runtime.pointee.sockets.peer(cookie: cookie) != nil else { return nil }
        if runtime.pointee.sockets.tell(cookie: cookie) { return .succeeded }
        guard socket.isConnectedByTCP, let peer = socket.peer,
            let address = ProxyAddress(.internet(peer.address, port: peer.port), on: peer.domain)
        else { return nil }
        do throws(Errno) {
            try socket.connect(to: address)
            return .succeeded
        } catch {
            return .failed(error)
        }
    }

    private func begin(_ entered: PendingTable.Entered, _ connectable: SubstituteSocket.Connectable) -> HookResult {
        let began = entered.record.pointee.handshake.started
        let limit = prepare(
            PendingHandle(connections: runtime.pointee.connections, socket: socket, entered), connectable.registrations
        )
        do {
            try connect(to: connectable.address, limit)
        } catch {
            switch error {
            case .inProgress where isNonBlocking:
                enter { pending in
                    pending.isUnwatched()
                    pending.started()
                }
                return .failed(error)
            case .interrupted where connectable.address.isPath:
                enter { $0.abandon() }
                return .failed(error)
            case .interrupted where socket.sendTimeout == nil && interruptible_by_handler() == 0:
                // A configured limit in place of SO_SNDTIMEO has ended the call: without it the kernel would have
                // continued.
                enter { $0.started() }
                return drive(since: began, whenTimeIsOver: .inProgress)
            case .inProgress, .interrupted:
                enter { pending in
                    pending.isUnwatched()
                    pending.started()
                }
                return .failed(error)
            case .timedOut, .connectionRefused, .networkUnreachable, .hostUnreachable,
                _ where connectable.address.isPath && error.isOfPath:
                enter { $0.started(failedBy: error) }
                guard isNonBlocking else { return drive(since: began, whenTimeIsOver: .inProgress) }
                return conclude()
            default:
                // An error of the socket's state, not of the proxy: EISCONN and the like.
                enter { $0.abandon() }
                return .failed(error)
            }
        }
        enter { pending in
            pending.record.pointee.isToldByKernel = true
            pending.connected()
            pending.started()
        }
        // With TCP_FASTOPEN_CONNECT the kernel says so before it has sent anything.
        guard isNonBlocking else {
            return drive(since: began, whenTimeIsOver: .inProgress, events: Int16(POLLOUT))
        }
        enter { pending in
            pending.isUnwatched()
            pending.step()
        }
        return .failed(.inProgress)
    }

    /// The result of a non-blocking call if the kernel has refused an attempt.
    private func conclude() -> HookResult {
        var outcome = HookResult.failed(.inProgress)
        enter { pending in
            switch pending.standing {
            case .failed: outcome = pending.takeFailure(by: .connect).map { .failed($0) } ?? .succeeded
            case .underWay: pending.isUnwatched()
            case .established: break
            }
        }
        return outcome
    }

    private static var watchedMarks: UInt32 {
        UInt32(DESCRIPTOR_WATCHED | DESCRIPTOR_DUPLICATED)
    }

    /// Before the kernel is asked to connect: from then on the program's epolls must not report the socket's events.
    /// Returns the milliseconds for the TCP connection; nil: as long as the kernel tries.
    private func prepare(_ pending: PendingHandle, _ registrations: TakenRegistrations?) -> Int? {
        registrations?.restore(by: pending)
        if descriptor_mark(socket.descriptor) & Connection.watchedMarks != 0 {
            EpollInventory(runtime.pointee.connections).adoptRegistrations(of: pending)
        }
        pending.borrowOptions()
        pending.noteVersion()
        let limit = pending.connectTimeout
        if isNonBlocking { pending.limitConnecting() }
        pending.leave()
        return limit
    }

    /// Calls `body` with the connection, if it is still pending.
    private func enter(_ body: (inout PendingHandle) -> Void) {
        guard case .entered(var pending) = PendingHandle.enter(cookie: cookie, socket, runtime.pointee.connections)
        else { return }
        body(&pending)
        pending.leave()
    }

    /// nil if the name was replaced meanwhile.
    private static func endpoint(_ target: Connect.Target, _ runtime: UnsafePointer<Runtime>) -> Endpoint? {
        switch target {
        case .address(let address, let port): return Endpoint(host: .address(address), port: port)
        case .name(let number, let port):
            return runtime.pointee.names.name(of: number).map { Endpoint(host: .name($0), port: port) }
        }
    }

    /// Connects to the first proxy within this many milliseconds.
    ///
    /// Only SO_SNDTIMEO limits a blocking connect(2): a shorter limit is set there meanwhile.
    private func connect(to proxy: ProxyAddress, _ limit: Int?) throws(Errno) {
        guard let limit, !isNonBlocking else { return try socket.connect(to: proxy) }
        let sendTimeout = socket.sendTimeout
        if let sendTimeout, sendTimeout <= limit { return try socket.connect(to: proxy) }
        socket.setSendTimeout(milliseconds: limit)
        defer { socket.setSendTimeout(milliseconds: sendTimeout) }
        do {
            try socket.connect(to: proxy)
        } catch {
            guard error == .inProgress || error == .again && proxy.isPath else { throw error }
            throw .timedOut
        }
    }

    private func drive(since began: Int, whenTimeIsOver error: Errno, events: Int16? = nil) -> HookResult {
        let driver = BlockingDriver(
            socket: socket, timed: socket, cookie: cookie, connections: runtime.pointee.connections, limit: .connecting,
            began: began)
        switch driver.drive(events: events ?? socket.readyEvents) {
        case .established: return .succeeded
        case .timeOver:
            enter { $0.isUnwatched() }
            return .failed(error)
        case .interrupted:
            enter { $0.isUnwatched() }
            return .failed(.interrupted)
        case .failed(let error): return .failed(error)
        }
    }
}
