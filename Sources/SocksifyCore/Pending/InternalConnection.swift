import CPreload
import ProxyConfig
import SOCKS5
import SharedTables

/// A connection of the library's own through the proxies. The process' waiting calls advance it, in any thread, as they
/// advance the program's.
struct InternalConnection {
    let descriptor: Int32
    let cookie: UInt64

    /// Makes a socket and a record for it, without connecting yet.
    ///
    /// - Parameters:
    ///   - list: the index of the list in `Configuration.lists` that chains are taken from.
    ///   - family: the preferred one for reaching the proxy.
    @inline(never)
    static func prepare(
        _ role: ConnectionRole, _ request: Request, throughList list: Int, family: SocketFamily = .own,
        _ connections: UnsafePointer<Connections>
    ) throws(Errno) -> InternalConnection {
        var failed = ProxySet()
        // Only such proxies support UDP ASSOCIATE.
        if request.command == .udpAssociate { failed = connections.pointee.configuration.withoutDatagrams }
        let selected = try connections.pointee.proxies.selectChain(
            throughList: list, for: request, from: family, &failed)
        // The relay has the proxy's address family.
        if case .association = role, family.isIPv6Only, !selected.hop.isIPv6 { throw .networkUnreachable }
        let descriptor = LibraryDescriptor.makeStream(family.domain(toReach: selected.hop))
        guard descriptor >= 0 else { throw Errno(-descriptor) }
        let table = connections.pointee.pendingTable
        guard let cookie = Socket(descriptor: descriptor).cookie,
            let entered = table.add(
                PendingConnection(
                    Handshake(
                        for: request, peer: .unspecified(AF_INET), family: family, list: list, chain: selected.chain,
                        failed: failed),
                    descriptor: descriptor, role: role),
                cookie: cookie)
        else {
            LibraryDescriptor.close(descriptor)
            throw .outOfBuffers
        }
        PendingHandle(connections: connections, socket: Socket(descriptor: descriptor), entered).leave()
        return InternalConnection(descriptor: descriptor, cookie: cookie)
    }

    /// Connects, and steps as far as it can without waiting.
    func begin(_ connections: UnsafePointer<Connections>) {
        enter(connections) { pending in
            do throws(Errno) {
                guard let address = pending.firstAddress else { throw .networkUnreachable }
                try pending.socket.concludeConnecting(to: address)
                pending.connected()
            } catch {
                guard error == .inProgress || error == .alreadyInProgress else {
                    return pending.started(failedBy: error)
                }
            }
            if process_is_threaded() != 0 { pending.watchInEveryEpoll() }
            pending.started()
            pending.step()
        }
    }

    /// Steps it, if it is pending, as far as it can without waiting.
    func step(_ connections: UnsafePointer<Connections>) {
        enter(connections) { $0.step() }
    }

    /// Gives it up, even while another thread steps it.
    func abandon(_ connections: UnsafePointer<Connections>) {
        enter(connections) { $0.fail(.kernel(.aborted)) }
    }

    func enter(_ connections: UnsafePointer<Connections>, _ body: (inout PendingHandle) -> Void) {
        let socket = Socket(descriptor: descriptor)
        guard case .entered(var pending) = PendingHandle.enter(cookie: cookie, socket, connections) else { return }
        body(&pending)
        pending.leave()
    }

    /// Keeps a control connection for a moment.
    func linger(_ connections: UnsafePointer<Connections>) {
        let table = connections.pointee.pendingTable
        guard
            let entered = table.add(
                PendingConnection(
                    Handshake(
                        for: .associating(overIPv6: false), peer: .unspecified(AF_INET), family: .own, list: 0,
                        chain: Chain(),
                        failed: ProxySet()),
                    descriptor: descriptor, role: .lingering),
                cookie: cookie)
        else { return LibraryDescriptor.close(descriptor) }
        var pending = PendingHandle(connections: connections, socket: Socket(descriptor: descriptor), entered)
        pending.linger()
        pending.leave()
    }

    /// Waits until it is over, or the time that `limit` sets is, or `patience` milliseconds are.
    @inline(never)
    func wait(
        _ connections: UnsafePointer<Connections>, limitedBy timed: Socket, _ limit: BlockingDriver.TimeLimit,
        patience: Int? = nil
    ) -> BlockingDriver.Outcome {
        let socket = Socket(descriptor: descriptor)
        let driver = BlockingDriver(
            socket: socket, timed: timed, cookie: cookie, connections: connections, limit: limit, patience: patience,
            began: Clock.now)
        return driver.drive(events: socket.readyEvents)
    }
}

// MARK: In the calls by which the program waits

extension PendingTable {
    /// Calls `body` for each internal connection of this process.
    func forEachInternal(_ connections: UnsafePointer<Connections>, _ body: (inout PendingHandle) -> Void) {
        guard internal_any() != 0 else { return }
        var slot = 0
        while var pending = enterInternal(from: &slot, connections) {
            body(&pending)
            pending.leave()
        }
    }

    /// Enters the first internal connection of this process from a slot on, which becomes the slot behind it; nil when
    /// there is none.
    @inline(never)
    private func enterInternal(from slot: inout Int, _ connections: UnsafePointer<Connections>) -> PendingHandle? {
        while slot < slots.end {
            defer { slot += 1 }
            // Looked at without the lock first: most connections are the program's own.
            guard isInternal(slot), let pending = PendingHandle.at(slot, connections) else { continue }
            if pending.record.pointee.role.isInternal { return pending }
            pending.leave()
        }
        return nil
    }

    /// Steps all internal connections as far as they can without waiting.
    func stepInternal(_ connections: UnsafePointer<Connections>) {
        forEachInternal(connections) { $0.step() }
    }
}
