import Addressing
import CPreload
import ProxyConfig
import SOCKS5
import SharedTables
import StreamSecurity
import Tunnel

/// A pending connection whose slot the calling thread has entered. Nothing here waits.
///
/// Always ends by `leave`.
struct PendingHandle {
    let connections: UnsafePointer<Connections>
    let socket: Socket
    private let entered: PendingTable.Entered
    /// Whether `socket` is the connection's: a process may have closed its descriptor.
    let hasSocket: Bool
    /// Whether the slot is free: the connection has ended, and the program knows the result.
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
        /// The kernel does not say which socket it is: see `Socket.Identity`.
        case refused(Errno)
        case entered(PendingHandle)
    }

    /// Enters the connection of a descriptor's socket. If it has none, the descriptor counts as an ordinary one from
    /// then on.
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
        // Another process of the tree has established it.
        if let cookie = socket.cookie, connections.pointee.sockets.isEncapsulated(cookie: cookie) {
            relayed_begin()
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_ENCAPSULATED))
        }
        return .none
    }

    /// Enters the connection of a socket, if it has one at the time of the call.
    ///
    /// A cookie that is not in the table proves nothing yet: a substitute socket may have taken the descriptor during
    /// the search, and former cookies stay in the table only for a while. If the cookie is the same before and after
    /// the search, the socket has no connection.
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
                // A substitute socket has just taken its descriptors; or did so in a process that this one forked from.
                pending.leave()
            case .none: break
            }
            identity = socket.identity
            if case .socket(asked) = identity { return .none }
        }
        if case .refused(let errno) = identity { return .refused(errno) }
        return .none
    }

    /// Enters the connection with this cookie, present or former, of the socket.
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

    /// Enters the connection in a slot, unless another thread has it.
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

    /// A descriptor of the socket was closed: another one, known from an epoll registration or as a duplicate; nil if
    /// there is none.
    private static func otherDescriptor(of record: UnsafeMutablePointer<PendingConnection>) -> Int32? {
        let cookie = record.pointee.cookie
        for index in 0..<record.pointee.registrationCount {
            let target = record.pointee.registrations[index].asked.target
            if Socket(descriptor: target).cookie == cookie { return target }
        }
        return MarkedDescriptors(marks: UInt32(DESCRIPTOR_DUPLICATED), cookie: cookie).first()
    }

    /// A descriptor of the socket is about to be closed: the record gets another one, if there is one.
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

    /// Leaves the slot, and steps it once more if another thread asked for that. By then the slot may have another
    /// socket.
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

    /// The state of the connection.
    enum Standing {
        case underWay
        /// The program has the connection.
        case established
        /// `takeFailure` says why.
        case failed
    }

    var standing: Standing {
        if isRemoved { return .established }
        return record.pointee.failure == nil ? .underWay : .failed
    }

    /// The events that the next step needs.
    var readiness: Socket.Readiness {
        // The next step fails.
        if record.pointee.isBroken { return .toWrite }
        if case .transaction(let transaction) = record.pointee.role, transaction.isUnderWay {
            return transaction.readiness
        }
        return record.pointee.handshake.readiness
    }

    /// When the present wait ends, in milliseconds of `Clock`; nil without a limit.
    var deadline: Int? { record.pointee.handshake.deadline }

    /// Steps the connection as far as the socket allows.
    ///
    /// - Parameter events: the result of poll(2) on the socket; nil: it is polled here.
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
        // The events may be of the attempt before this one.
        if events != nil, ready & PendingHandle.failureEvents != 0 { ready = socket.readyEvents }
        if record.pointee.handshake.isConnecting {
            guard ready != 0 else { return .waiting }
            guard ready & PendingHandle.failureEvents == 0 else { throw .byKernel }
            // Do not ask by connect(2): it returns 0 once, which is for the program.
            guard ready & Int16(POLLOUT) != 0 else { return .waiting }
            connected()
        } else if ready & Int16(POLLERR) != 0, socket.unreadCount == 0 {
            // send(2) or recv(2) would take the error, by which the program's epoll(7) reports the failure.
            throw .kernel(.connectionReset)
        }
        let security = withUnsafeMutablePointer(to: &record.pointee.security) {
            ConnectionSecurity(layers: $0, cookie: record.pointee.cookie, connections: connections)
        }
        let stream = SocketStream(socket: socket, security: security)
        if case .transaction(let transaction) = record.pointee.role, transaction.isUnderWay {
            return try transaction.advance(on: stream)
        }
        // An epoll reports bytes once. Early bytes of the proxy are there now, or never come.
        let mayHaveEarlyBytes = events == nil || record.pointee.registrationCount > 0
        let progress = try record.pointee.handshake.advance(
            on: stream, entered.buffers, receivesAtOnce: mayHaveEarlyBytes && ready & Int16(POLLIN) != 0)
        if case .established = progress, case .transaction(let transaction) = record.pointee.role {
            record.pointee.handshake.deadline = nil
            return try transaction.begin(
                on: stream, reply: record.pointee.handshake.tunnel.boundAddress,
                for: record.pointee.handshake.request.command)
        }
        return progress
    }

    /// The address that the socket connects to.
    var firstAddress: ProxyAddress? { firstSlot?.address(for: record.pointee.handshake.family) }

    private var firstSlot: ProxyLocation? {
        guard let first = record.pointee.handshake.chain[0] else { return nil }
        return connections.pointee.proxies.hop(
            of: first, record.pointee.handshake.address, for: record.pointee.handshake.family)
    }

    /// A program that has connected to an IPv4 address is not to see an IPv6 address as its own, and the reverse.
    func noteVersion() {
        guard case .internet(let proxy, _)? = firstSlot, record.pointee.handshake.family.domain == AF_INET6,
            SocketAddress(address: proxy, port: 0).isIPv4 != record.pointee.handshake.peer.isIPv4
        else { return }
        SubstituteSocket.forEachDescriptor(of: socket, cookie: record.pointee.cookie) { descriptor in
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_MIXED))
        }
    }

    /// The address of the first proxy; loopback for one at a path.
    private var proxyAddress: IPAddress? {
        switch firstSlot {
        case .internet(let address, _): address.unmapped
        case .unixSocket: .v4(IPv4Address(127, 0, 0, 1))
        case nil: nil
        }
    }

    /// The TCP connection to the first proxy is established.
    func connected() {
        putUserTimeoutBack()
        record.pointee.handshake.connected(socket)
    }

    /// The kernel has been asked to connect. The socket's events count from now on; an event that came before is looked
    /// at now.
    mutating func started() {
        record.pointee.isStarted = true
        limitTime()
        if record.pointee.wasAskedEarly { step() }
    }

    /// The kernel could not begin to connect.
    mutating func started(failedBy error: Errno) {
        record.pointee.isStarted = true
        fail(.kernel(error))
        if standing == .underWay { limitTime() }
    }

    /// Without a configured limit only the kernel ends the wait for the TCP connection. The slot is inspected all the
    /// same: not every close is seen.
    private static var inspectionInterval: Int { 60_000 }

    /// Sets the deadline of the present wait, unless it is set.
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

    /// Fails the connection if its deadline is over, and frees the slot if its socket is closed.
    @inline(never)
    mutating func inspect(now: Int) {
        if isLingering { return conclude(nil) }
        if !hasSocket {
            if record.pointee.role.isInternal { return conclude(.kernel(.aborted)) }
            // Another process may have the socket still, and inspects it itself.
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
        let isEncapsulated = handSecurityOver()
        connections.pointee.sockets.insert(
            record.pointee.handshake.peer, isUntold: isUntold, isEncapsulated: isEncapsulated,
            cookie: record.pointee.cookie)
        if record.pointee.shut != 0 { socket.shut(record.pointee.shut) }
        ConnectionLog.write(&record.pointee.handshake, .connection, configuration)
        putOptionsBack()
        restoreRegistrations()
        remove()
    }

    /// Gives the security contexts to the program's stream. Whether there are any that encapsulate.
    private func handSecurityOver() -> Bool {
        guard let layers = record.pointee.security, !layers.pointee.areEmpty else { return false }
        let cookie = record.pointee.cookie
        guard connections.pointee.streams.add(layers, cookie: cookie) else {
            // Every call on it fails.
            markEncapsulated()
            return true
        }
        record.pointee.security = nil
        markEncapsulated()
        if let entry = connections.pointee.streams.find(cookie: cookie) {
            EncapsulatedStream(socket: socket, cookie: cookie, streams: connections.pointee.streams, entry: entry)
                .begin()
        }
        return true
    }

    private func markEncapsulated() {
        relayed_begin()
        SubstituteSocket.forEachDescriptor(of: socket, cookie: record.pointee.cookie) { descriptor in
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_ENCAPSULATED))
        }
    }

    /// An attempt has failed. Begins another one if there is another way that the socket allows; else the connection
    /// has failed.
    @inline(never)
    mutating func fail(_ error: HandshakeError) {
        var failure = error
        guard beginAnew(after: &failure) else { return end(with: failure) }
        step()
    }

    /// The connection has failed: the socket looks like one that the kernel could not connect, until the program
    /// connects it again.
    @inline(never)
    private mutating func end(with error: HandshakeError) {
        if record.pointee.role.isInternal { return conclude(error) }
        putUserTimeoutBack()
        putOptionsBack()
        if case .byKernel = error {
            record.pointee.failure = .ofKernel
        } else {
            ConnectionLog.write(
                &record.pointee.handshake, .connection, failedBy: error, record.pointee.security,
                configuration)
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
            // A shut-down socket reports IN, OUT, HUP and RDHUP, as after a refused connection.
            socket.shutDown()
        } catch {
            if !record.pointee.handshake.isConnecting { socket.endConnection() }
        }
    }

    /// By which call the program learns of a failure.
    enum Teller {
        /// connect(2): afterwards the socket can connect again.
        case connect
        /// SO_ERROR, or a call that reads or writes: the socket stays a failed one.
        case other
    }

    /// Reports the error of a failed connection to the program; nil if the program knows it already.
    mutating func takeFailure(by teller: Teller) -> Errno? {
        guard !isRemoved, let failure = record.pointee.failure else { return nil }
        // Leave the socket alone: another process uses it.
        if record.pointee.isElsewhere, case .errno(let errno) = failure { return errno }
        // If another process has found the failure.
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
                ConnectionLog.write(&record.pointee.handshake, .connection, failedBy: .kernel(told), nil, configuration)
            }
        case .told:
            if teller == .other { return nil }
            remove()
            // A Unix-domain socket connects only once: a new one of the program's family takes its descriptors.
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

    /// The error that the program does not know yet, and that the kernel does not have.
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

    /// The connection is useless, but must not be closed yet.
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
        // The program itself has given it up.
        if case .kernel(.aborted)? = error { return }
        if let error {
            let isKnown = connections.pointee.refusal.isFresh
            ConnectionLog.write(
                &record.pointee.handshake, record.pointee.role, failedBy: error, isKnown: isKnown,
                record.pointee.security, configuration)
        } else {
            ConnectionLog.write(&record.pointee.handshake, record.pointee.role, configuration)
        }
    }

    /// The program ends the attempt: the socket looks like one that was never connected.
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

    /// The kernel refuses to wait: the attempt has failed, whatever other ways there are. Returns the error to report.
    mutating func giveUp(_ errno: Errno, _ teller: Teller) -> Errno {
        if standing == .underWay { end(with: .kernel(errno)) }
        return takeFailure(by: teller) ?? errno
    }

    /// Ends the attempt and frees the slot.
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

    /// A call waits for the socket.
    func isWatched() {
        table.audits.forget(record)
    }

    /// connect(2) returns, and no call waits for the socket yet.
    func isUnwatched() {
        if record.pointee.registrationCount == 0 { table.audits.note(record) }
        record.pointee.attend(.anyCall)
        countAttendance()
    }

    /// After an epoll has begun or stopped to watch it.
    @inline(never)
    func countAttendance() {
        guard record.pointee.attendance != .call else { return }
        record.pointee.attend(record.pointee.registrationCount > 0 ? .epolls : .anyCall)
    }

    /// Whether another process or descriptor may have the socket too.
    var mayHaveOthers: Bool {
        record.pointee.mayBeShared
            || isDuplicated(record.pointee.descriptor)
    }
}
