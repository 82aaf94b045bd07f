import Addressing
import CPreload
import ProxyConfig
import SOCKS5
import SharedTables
import Tunnel

/// A pending handshake that the calling thread has entered: what can be done with it. Nothing here waits.
///
/// It ends by `leave`, always.
struct PendingHandle {
    let connections: UnsafePointer<Connections>
    let socket: Socket
    private let entered: PendingTable.Entered
    /// Whether `socket` is the handshake's: a process may have closed its descriptor.
    let hasSocket: Bool
    /// Whether the record is gone: the handshake is over, and the program knows all that there is to know.
    private(set) var isRemoved = false

    init(
        connections: UnsafePointer<Connections>, socket: Socket, _ entered: PendingTable.Entered,
        hasSocket: Bool = true
    ) {
        self.connections = connections
        self.socket = socket
        self.entered = entered
        self.hasSocket = hasSocket
    }

    var table: PendingTable { connections.pointee.pendingTable }
    var slot: Int { entered.slot }
    var record: UnsafeMutablePointer<PendingConnection> { entered.record }
    private var configuration: Configuration { connections.pointee.configuration }

    // MARK: Entering and leaving

    /// What `of` finds.
    enum Search {
        case none
        /// See `PendingTable.Entry.busy`.
        case busy
        /// The kernel does not tell which socket it is: see `Socket.Identity`.
        case refused(Errno)
        case entered(PendingHandle)
    }

    /// Enters the handshake of a descriptor's socket, whichever of its descriptors that is. When there is none, the
    /// descriptor is taken for an ordinary one from then on.
    @inline(never)
    static func of(_ descriptor: Int32, _ connections: UnsafePointer<Connections>) -> Search {
        let seen = descriptor_mark(descriptor)
        let socket = Socket(descriptor: descriptor)
        let search = find(socket, connections)
        guard case .none = search else { return search }
        var stale = DESCRIPTOR_PENDING
        // A socket of another protocol is never pending, under any number. The marks of epolls, relayed sockets and
        // substitute sockets have to stay.
        let marks = UInt32(
            DESCRIPTOR_DUPLICATED | DESCRIPTOR_EPOLL | DESCRIPTOR_RELAYED | DESCRIPTOR_SUBSTITUTE)
        if seen & marks == UInt32(DESCRIPTOR_DUPLICATED), socket.isTCP != true {
            stale |= DESCRIPTOR_DUPLICATED
        }
        descriptor_clear_wrong_marks(descriptor, UInt32(stale), seen)
        connections.pointee.pendingTable.correctCount()
        return .none
    }

    /// Enters the handshake of a socket, if it has one at the time of the call.
    ///
    /// A table that does not know the cookie says nothing yet: while it was looked for other sockets may have taken the
    /// place of the one that was asked, and the former cookies are remembered for a while only. A socket whose cookie is
    /// the same before and after has no handshake.
    @inline(never)
    static func find(_ socket: Socket, _ connections: UnsafePointer<Connections>) -> Search {
        var identity = socket.identity
        while case .socket(let asked) = identity {
            let search = enter(cookie: asked, socket, connections)
            switch search {
            case .busy, .refused: return search
            case .entered(let pending):
                if pending.record.pointee.cookie == asked {
                    pending.use(socket.descriptor, cookie: asked)
                    return search
                }
                // Another socket has taken its place just now; or did so in a process that this one forked from.
                pending.leave()
            case .none: break
            }
            identity = socket.identity
            if case .socket(asked) = identity { return .none }
        }
        if case .refused(let errno) = identity { return .refused(errno) }
        return .none
    }

    /// Enters the handshake that the socket has, or had, with this cookie.
    @inline(never)
    static func enter(cookie: UInt64, _ socket: Socket, _ connections: UnsafePointer<Connections>) -> Search {
        switch connections.pointee.pendingTable.enter(cookie: cookie, connections) {
        case .none: return .none
        case .busy: return .busy
        case .record(let entered):
            return .entered(PendingHandle(connections: connections, socket: socket, entered))
        case .another(let entered):
            leave(entered, connections)
            return .none
        }
    }

    /// Enters the handshake in a slot, if nobody is at work on it.
    @inline(never)
    static func at(_ slot: Int, _ connections: UnsafePointer<Connections>) -> PendingHandle? {
        guard let entered = connections.pointee.pendingTable.tryEnter(slot: slot, connections) else { return nil }
        let record = entered.record
        let socket = Socket(descriptor: record.pointee.descriptor)
        let isThere = socket.descriptor >= 0 && socket.mayBe(record.pointee.cookie)
        guard !isThere, let other = otherDescriptor(of: record) else {
            return PendingHandle(connections: connections, socket: socket, entered, hasSocket: isThere)
        }
        record.pointee.name(by: other)
        return PendingHandle(connections: connections, socket: Socket(descriptor: other), entered)
    }

    /// The number of a socket was closed: one by which it lives on, found because an epoll knows it, or as another
    /// duplicate; nil when there is none.
    private static func otherDescriptor(of record: UnsafeMutablePointer<PendingConnection>) -> Int32? {
        let cookie = record.pointee.cookie
        for index in 0..<record.pointee.registrationCount {
            let target = record.pointee.registrations[index].asked.target
            if Socket(descriptor: target).cookie == cookie { return target }
        }
        return MarkedDescriptors(marks: UInt32(DESCRIPTOR_DUPLICATED), cookie: cookie).first()
    }

    /// A number of the socket is about to end: from now on it is known by another, if it has one.
    func end(_ descriptor: Int32) {
        guard record.pointee.descriptor == descriptor else { return }
        let others = MarkedDescriptors(marks: UInt32(DESCRIPTOR_DUPLICATED), cookie: record.pointee.cookie)
        if let other = others.first(except: descriptor) { record.pointee.name(by: other) }
    }

    private func use(_ descriptor: Int32, cookie: UInt64) {
        let current = record.pointee.descriptor
        guard current != descriptor, Socket(descriptor: current).cookie != cookie else { return }
        record.pointee.name(by: descriptor)
    }

    /// Lets others have it, and takes another look at the socket if one of them asked for that. By then the slot may be
    /// another socket's.
    consuming func leave() {
        guard !isRemoved else { return }
        PendingHandle.leave(entered, connections)
    }

    private static func leave(_ entered: PendingTable.Entered, _ connections: UnsafePointer<Connections>) {
        var entered = entered
        while connections.pointee.pendingTable.leave(entered) {
            guard var next = at(entered.slot, connections) else { return }
            next.step()
            if next.isRemoved { return }
            entered = next.entered
        }
    }

    // MARK: Steps

    /// How a handshake stands.
    enum Standing {
        case underWay
        /// The connection is the program's.
        case established
        /// `takeFailure` says why.
        case failed
    }

    var standing: Standing {
        if isRemoved { return .established }
        return record.pointee.failure == nil ? .underWay : .failed
    }

    /// What the socket is to be ready for before another step makes sense.
    var readiness: Socket.Readiness {
        // It fails at the next look.
        if record.pointee.isBroken { return .toWrite }
        if case .transaction(let transaction) = record.pointee.role, transaction.isUnderWay {
            return transaction.readiness
        }
        return record.pointee.handshake.readiness
    }

    /// When the time for what is waited for is over, in milliseconds of `Clock`; nil when it is not limited.
    var deadline: Int? { record.pointee.handshake.deadline }

    /// Goes as far as the socket allows.
    ///
    /// - Parameter events: what poll(2) said of the socket; nil: it is asked.
    @discardableResult @inline(never)
    mutating func step(events: Int16? = nil) -> Standing {
        _ = table.takeAsked(entered)
        if isLingering { return .underWay }
        if record.pointee.isElsewhere {
            if connections.pointee.sockets.peer(cookie: record.pointee.cookie) != nil { abandon() }
            return standing
        }
        if !hasSocket, record.pointee.role.isInternal {
            // The program has closed it.
            conclude(.kernel(.aborted))
            return standing
        }
        guard hasSocket, standing == .underWay else { return standing }
        guard record.pointee.isStarted else {
            record.pointee.wasAskedEarly = true
            return .underWay
        }
        var events = events
        while true {
            do throws(HandshakeError) {
                guard case .established = try advance(events: events) else {
                    limitTime()
                    return .underWay
                }
                establish()
                return standing
            } catch {
                var failure = error
                guard beginAnew(after: &failure) else {
                    end(with: failure)
                    return standing
                }
            }
            events = nil
        }
    }

    private static var failureEvents: Int16 { Int16(POLLERR | POLLHUP | POLLNVAL) }

    private func advance(events: Int16?) throws(HandshakeError) -> Handshake.Progress {
        guard !record.pointee.isBroken else { throw .kernel(.aborted) }
        var ready = events ?? socket.readyEvents
        // What was seen may be the end of the attempt before this one.
        if events != nil, ready & PendingHandle.failureEvents != 0 { ready = socket.readyEvents }
        if record.pointee.handshake.isConnecting {
            guard ready != 0 else { return .waiting }
            guard ready & PendingHandle.failureEvents == 0 else { throw .byKernel }
            // The kernel is not asked by connect(2) whether it is done: it says 0 to that once, which is for the program.
            guard ready & Int16(POLLOUT) != 0 else { return .waiting }
            connected()
        } else if ready & Int16(POLLERR) != 0, socket.unreadCount == 0 {
            // To receive or to send would take the error, by which the program's epoll(7) tells a failure.
            throw .kernel(.connectionReset)
        }
        if case .transaction(let transaction) = record.pointee.role, transaction.isUnderWay {
            return try transaction.advance(on: socket)
        }
        // An epoll tells of bytes once. Those that came before the proxy was asked lie there now, or never will.
        let mayHaveEarlyBytes = events == nil || record.pointee.registrationCount > 0
        let progress = try record.pointee.handshake.advance(
            on: socket, entered.buffers, connections, receivesAtOnce: mayHaveEarlyBytes && ready & Int16(POLLIN) != 0)
        if case .established = progress, case .transaction(let transaction) = record.pointee.role {
            record.pointee.handshake.deadline = nil
            return try transaction.begin(
                on: socket, reply: record.pointee.handshake.tunnel.boundAddress,
                for: record.pointee.handshake.request.command)
        }
        return progress
    }

    /// Where the socket connects to.
    var firstAddress: ProxyAddress? { firstSlot?.address(for: record.pointee.handshake.family) }

    private var firstSlot: ProxyLocation? {
        guard let first = record.pointee.handshake.chain[0] else { return nil }
        return connections.pointee.proxies.hop(
            of: first, record.pointee.handshake.address, for: record.pointee.handshake.family)
    }

    /// A program that has connected to an address of one version of IP is not to see one of the other as its own.
    func noteVersion() {
        guard case .internet(let proxy, _)? = firstSlot, record.pointee.handshake.family.domain == AF_INET6,
            SocketAddress(address: proxy, port: 0).isIPv4 != record.pointee.handshake.peer.isIPv4
        else { return }
        SubstituteSocket.forEachDescriptor(of: socket, cookie: record.pointee.cookie) { descriptor in
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_MIXED))
        }
    }

    /// The address of the first proxy; one at a path is on this machine.
    private var proxyAddress: IPAddress? {
        switch firstSlot {
        case .internet(let address, _): address.unmapped
        case .unixSocket: .v4(IPv4Address(127, 0, 0, 1))
        case nil: nil
        }
    }

    /// The TCP connection to the first proxy stands.
    func connected() {
        putUserTimeoutBack()
        record.pointee.handshake.connected(socket)
    }

    /// The kernel has been asked to connect. From now on it means something when the socket is ready; what was told
    /// before is made up for.
    mutating func started() {
        record.pointee.isStarted = true
        limitTime()
        if record.pointee.wasAskedEarly { step() }
    }

    /// The kernel was asked to connect, and could not.
    mutating func started(failedBy error: Errno) {
        record.pointee.isStarted = true
        fail(.kernel(error))
        if standing == .underWay { limitTime() }
    }

    /// While the kernel connects without a configured limit nothing ends the wait but the kernel; it is looked after all
    /// the same, because nobody tells when a socket is closed.
    private static var inspectionInterval: Int { 60_000 }

    /// Sets the deadline of what is waited for, unless it is set.
    private func limitTime() {
        guard record.pointee.handshake.deadline == nil else { return }
        let now = Clock.now
        if !record.pointee.handshake.isConnecting {
            record.pointee.handshake.deadline = now + answerTimeout
        } else if let connectTimeout {
            record.pointee.handshake.deadline = record.pointee.handshake.attempted + connectTimeout
        }
        table.deadlines.set(
            record.pointee.handshake.deadline ?? now + PendingHandle.inspectionInterval, for: slot)
    }

    /// Milliseconds that an answer may take. A call that asks for a name waits no longer than for a name server.
    private var answerTimeout: Int {
        var timeout = configuration.readTimeout
        if case .transaction = record.pointee.role { timeout = min(timeout, DNSTransaction.longestAnswer) }
        return min(timeout, patience ?? timeout)
    }

    /// Has the kernel itself give up connecting when the time is over: so a call learns of it that has waited for the
    /// socket since before it was pending.
    func limitConnecting() {
        guard let connectTimeout else { return putUserTimeoutBack() }
        guard record.pointee.userTimeout == nil else { return }
        let own = socket.userTimeout
        let limit = Int32(truncatingIfNeeded: min(connectTimeout, Clock.longest))
        guard own == 0 || own > limit else { return }
        record.pointee.userTimeout = own
        socket.setUserTimeout(limit)
    }

    func putUserTimeoutBack() {
        guard let timeout = record.pointee.userTimeout else { return }
        socket.setUserTimeout(timeout)
        record.pointee.userTimeout = nil
    }

    /// Ends the handshake if its time is over, and forgets it if its socket is.
    @inline(never)
    mutating func inspect(now: Int) {
        if isLingering { return conclude(nil) }
        if !hasSocket {
            if record.pointee.role.isInternal { return conclude(.kernel(.aborted)) }
            // Another process may have the socket still; it looks after it itself.
            let owner = record.pointee.process
            if process_is_own() != 0, owner == process_own_id() || process_has_ended(owner) != 0 {
                return remove()
            }
        } else if standing == .underWay, let deadline, deadline <= now {
            return fail(.timedOut)
        }
        let next = now + PendingHandle.inspectionInterval
        table.deadlines.set(hasSocket && standing == .underWay ? min(deadline ?? next, next) : next, for: slot)
    }

    // MARK: The end

    private mutating func establish() {
        noteAnswers(before: record.pointee.handshake.chain.count)
        if record.pointee.role.isInternal { return conclude(nil) }
        let saysNoMore = record.pointee.isToldByKernel || record.pointee.shut != 0
        let isUntold = record.pointee.attendance != .call && saysNoMore
        connections.pointee.sockets.insert(
            record.pointee.handshake.peer, isUntold: isUntold, cookie: record.pointee.cookie)
        if record.pointee.shut != 0 { socket.shut(record.pointee.shut) }
        ConnectionLog.write(&record.pointee.handshake, .connection, configuration)
        putOptionsBack()
        restoreRegistrations()
        remove()
    }

    /// The attempt has failed. Another one is made if there is another way, as far as the socket allows; else the
    /// connection has failed.
    @inline(never)
    mutating func fail(_ error: HandshakeError) {
        var failure = error
        guard beginAnew(after: &failure) else { return end(with: failure) }
        step()
    }

    /// The connection has failed: the socket is as one that the kernel could not connect, until the program connects it
    /// anew.
    @inline(never)
    private mutating func end(with error: HandshakeError) {
        if record.pointee.role.isInternal { return conclude(error) }
        putUserTimeoutBack()
        putOptionsBack()
        if case .byKernel = error {
            record.pointee.failure = .ofKernel
        } else {
            ConnectionLog.write(&record.pointee.handshake, .connection, failedBy: error, configuration)
            breakConnection()
            record.pointee.failure = .errno(error.errno)
        }
        table.audits.forget(record)
        record.pointee.attend(.call)
        table.deadlines.set(Clock.now + PendingHandle.inspectionInterval, for: slot)
        restoreRegistrations()
    }

    private func breakConnection() {
        do throws(Errno) {
            try socket.disconnect()
            // It has hung up: poll(2) and epoll(7) tell that as of a connection that was refused.
            socket.shutDown()
        } catch {
            if !record.pointee.handshake.isConnecting { socket.endConnection() }
        }
    }

    /// How the program learns of a failure.
    enum Teller {
        /// connect(2), after which the socket can connect anew.
        case connect
        /// SO_ERROR, or a call that reads or writes: the socket stays one that has failed.
        case other
    }

    /// The error of a failed handshake, which the program thereby knows. nil when it knew it already.
    mutating func takeFailure(by teller: Teller) -> Errno? {
        guard !isRemoved, let failure = record.pointee.failure else { return nil }
        // The socket is not to be touched: it is in use.
        if record.pointee.isElsewhere, case .errno(let errno) = failure { return errno }
        // Where another process has found that it failed.
        restoreRegistrations()
        let told: Errno?
        switch failure {
        case .errno(let errno):
            _ = socket.takeError()
            told = errno
            if teller == .other {
                record.pointee.failure = .told
                return told
            }
        case .ofKernel:
            told = socket.takeError()
            if let told {
                ConnectionLog.write(&record.pointee.handshake, .connection, failedBy: .kernel(told), configuration)
            }
        case .told:
            if teller == .other { return nil }
            remove()
            // One of a Unix domain connects but once: one of the program's family stands there again, as new.
            let isSubstitute = (try? SubstituteSocket.dissolve(socket.descriptor, connections)) ?? false
            if !isSubstitute { try? socket.disconnect() }
            _ = socket.takeError()
            return .aborted
        }
        if teller == .connect {
            try? socket.disconnect()
            _ = socket.takeError()
        }
        remove()
        return told
    }

    /// The error that the program has yet to learn, and that the kernel does not have itself.
    var untoldError: Errno? {
        guard !isRemoved, case .errno(let errno) = record.pointee.failure else { return nil }
        return errno
    }

    /// Ends an internal connection. Its owner is told before the slot is free, so that no other thread takes it for
    /// abandoned.
    private mutating func conclude(_ failure: HandshakeError?) {
        var error = failure
        if case .byKernel? = failure { error = .kernel(socket.takeError() ?? .connectionRefused) }
        writeLog(error)
        var isKept = false
        var isQuestion = false
        switch record.pointee.role {
        case .connection: return
        case .lingering: break
        case .association(let slot, let cookie):
            // Some servers (sshd) end the connection in place of an answer.
            if error?.isOfProtocol == true { connections.pointee.refusal.note() }
            let fate = connections.pointee.owners.concludeAssociation(
                AssociationEnd(
                    slot: slot, cookie: cookie, control: socket, proxy: proxyAddress,
                    bound: error == nil ? record.pointee.handshake.tunnel.boundAddress : nil,
                    errno: error?.errnoOfDatagrams))
            switch fate {
            case .closed: break
            case .kept: isKept = true
            case .lingers:
                unwatch()
                return linger()
            }
        case .transaction(let transaction):
            if case .datagram = transaction.asker { isQuestion = true }
            let handshake = record.pointee.handshake
            let isOfResolver = handshake.isAtLastHop && handshake.request.command != .connect
            transaction.conclude(error, isOfResolver: isOfResolver)
            if isQuestion { connections.pointee.owners.answer(transaction) }
        }
        if hasSocket { unwatch() }
        let descriptor = socket.descriptor
        remove()
        if hasSocket, !isKept { LibraryDescriptor.close(descriptor) }
        if isQuestion { connections.pointee.owners.endQuestion() }
    }

    /// Some 50 milliseconds: servers take less, but may be busy.
    static var lingerTime: Int { 50 }

    /// The connection is of no use any more, but is not to be closed yet.
    mutating func linger() {
        record.pointee.role = .lingering
        table.deadlines.set(Clock.now + PendingHandle.lingerTime, for: slot)
    }

    var isLingering: Bool {
        if case .lingering = record.pointee.role { return true }
        return false
    }

    /// Needs no stack frame for the line if there is none to write.
    private func writeLog(_ error: HandshakeError?) {
        if isLingering { return }
        // The program has given it up itself.
        if case .kernel(.aborted)? = error { return }
        if let error {
            let isKnown = connections.pointee.refusal.isFresh
            ConnectionLog.write(
                &record.pointee.handshake, record.pointee.role, failedBy: error, isKnown: isKnown, configuration)
        } else {
            ConnectionLog.write(&record.pointee.handshake, record.pointee.role, configuration)
        }
    }

    /// The program ends the attempt itself: the socket is as one that was never connected.
    mutating func dissolve() -> HookResult {
        do throws(Errno) {
            if socket.domain != AF_UNIX { try socket.disconnect() }
            abandon()
            if connections.pointee.original(of: socket) != nil {
                _ = try SubstituteSocket.dissolve(socket.descriptor, connections)
            }
        } catch {
            return .failed(error)
        }
        return .succeeded
    }

    /// Nobody can wait for it, which the kernel has refused: the attempt has failed, whatever other ways there are. Returns
    /// the error to tell.
    mutating func giveUp(_ errno: Errno, _ teller: Teller) -> Errno {
        if standing == .underWay { end(with: .kernel(errno)) }
        return takeFailure(by: teller) ?? errno
    }

    /// There is no attempt any more.
    mutating func abandon() {
        putUserTimeoutBack()
        putOptionsBack()
        restoreRegistrations()
        remove()
    }

    /// Frees the slot. Leaves the epoll registrations alone: the socket is closed, closing, or has them back.
    @inline(never)
    mutating func remove() {
        table.remove(entered)
        isRemoved = true
    }

    // MARK: Who waits

    /// Somebody is seen to wait for the socket.
    func isWatched() {
        table.audits.forget(record)
    }

    /// connect(2) returns, and nobody waits yet.
    func isUnwatched() {
        if record.pointee.registrationCount == 0 { table.audits.note(record) }
        record.pointee.attend(.anyCall)
        countAttendance()
    }

    /// After an epoll was seen to watch it, or not to watch it any more.
    @inline(never)
    func countAttendance() {
        guard record.pointee.attendance != .call else { return }
        record.pointee.attend(record.pointee.registrationCount > 0 ? .epolls : .anyCall)
    }

    /// Whether another process, or a descriptor of another number, may have the socket too.
    var mayHaveOthers: Bool {
        record.pointee.mayBeShared
            || isDuplicated(record.pointee.descriptor)
    }
}
