import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SharedTables

/// The UDP association of a relayed socket (RFC 1928 section 4, UDP ASSOCIATE): the relay for its datagrams, and the
/// control connection with which the relay ends.
struct Association {
    enum State {
        case none
        /// The handshake is under way.
        case opening
        case open
        /// The handshake has failed; the program has not been told yet.
        case failed(Errno)
    }

    private(set) var state = State.none
    /// The index in `Configuration.lists` of the list whose proxy has the relay.
    private(set) var list = 0
    /// Where datagrams go, in the form of the socket's family.
    private(set) var relay = SocketAddress.unspecified(AF_INET)
    /// The relay of the previous association, from which datagrams may still arrive.
    private var formerRelay = SocketAddress.unspecified(AF_INET)
    /// The relay from before the socket changed its port. Datagrams from there are dropped.
    private var forgottenRelay = SocketAddress.unspecified(AF_INET)
    /// The tick of the last datagram sent, if none was received since; else 0.
    var unanswered: UInt32 = 0
    /// The control connection: its descriptor in the process that opened it, its cookie, its inode number.
    private(set) var control: Int32 = -1
    private(set) var controlCookie: UInt64 = 0
    private var controlNumber = -1
    private var process: Int32 = 0
    /// The thread that opens it, and the tick when it began.
    private var opener: Int32 = 0
    private var begun: UInt32 = 0
    /// The tick when it was last seen alive.
    private var seen: UInt32 = 0

    // MARK: Opening

    /// The calling thread opens it.
    mutating func begin(throughList list: Int) {
        state = .opening
        self.list = list
        process = process_own_id()
        opener = process_thread_id()
        begun = descriptor_tick()
        (control, controlCookie, controlNumber) = (-1, 0, -1)
    }

    /// The socket of the control connection exists; it is about to connect.
    mutating func begin(control: Int32, cookie: UInt64) {
        self.control = control
        controlCookie = cookie
        controlNumber = process_is_confined() != 0 ? -1 : kernel_socket_number(process, control)
    }

    mutating func opened(relay: SocketAddress) {
        if relay != self.relay { formerRelay = self.relay }
        // Some servers have one relay for all associations.
        if isForgottenRelay(relay) { forgottenRelay.port = 0 }
        self.relay = relay
        state = .open
        seen = descriptor_tick()
    }

    mutating func failed(_ errno: Errno) {
        state = .failed(errno)
        (control, controlCookie) = (-1, 0)
    }

    /// The program knows the failure: the next datagram opens the association anew.
    mutating func forgetFailure() {
        state = .none
    }

    /// The control connection while this process opens it.
    var connection: InternalConnection? {
        guard case .opening = state, process == process_own_id(), controlCookie != 0 else { return nil }
        return InternalConnection(descriptor: control, cookie: controlCookie)
    }

    /// Milliseconds that a sender still waits for it: since the opening began, as long as a kernel waits for a
    /// neighbour's address.
    var patience: Int {
        let ticks = Int(descriptor_tick() &- begun)
        return max(Association.longestPatience - ticks * 1000 / 256, 0)
    }

    private static var longestPatience: Int { 3000 }

    var isOpenedByThisThread: Bool { process == process_own_id() && opener == process_thread_id() }

    /// Whether it is marked as opening, but the process or thread that opened it has ended.
    func isAbandoned(_ pendingTable: PendingTable) -> Bool {
        if process == process_own_id(), controlCookie != 0 {
            return pendingTable.slots.find(cookie: controlCookie) == nil
        }
        return process_is_confined() == 0 && kernel_thread_exists(opener) == 0
    }

    /// Whether it leads through proxies of this list, or can still be opened for them.
    func serves(_ list: Int) -> Bool {
        switch state {
        case .none, .failed: true
        case .opening, .open: self.list == list
        }
    }

    // MARK: The end

    /// Checks that the relay is alive: the server ends it with the control connection. Asks the kernel once in a tick,
    /// or each time if another process has the connection, which may end at any time.
    ///
    /// - Parameter tick: the present one.
    @inline(never)
    mutating func check(_ tick: UInt32) {
        guard case .open = state else { return }
        if tick == seen, process == process_own_id() || isControlHere { return }
        seen = tick
        if !isAlive { end() }
    }

    /// The same, regardless of the last check.
    mutating func checkNow() {
        mayHaveEnded()
        check(descriptor_tick())
    }

    /// The next sender checks that it is alive.
    mutating func mayHaveEnded() { seen = 0 }

    private var isAlive: Bool {
        guard isControlHere else {
            // Another process has it, after this one closed it or executed another program.
            return process != process_own_id() && controlNumber >= 0
                && kernel_socket_number(process, control) == controlNumber
        }
        // Only its end can be read from it.
        return kernel_poll_now(control, POLLIN) == 0
    }

    /// Whether this process has the connection.
    @inline(never)
    private var isControlHere: Bool {
        guard control >= 0, controlCookie != 0, LibraryDescriptor.isOwn(control) else { return false }
        switch Socket(descriptor: control).identity {
        case .socket(let cookie): return cookie == controlCookie
        case .none: return false
        // Only the library closes its own descriptors.
        case .refused: return process == process_own_id()
        }
    }

    /// Ends it; the next datagram opens it anew.
    mutating func end() {
        closeControl()
        detach()
    }

    /// Closes the control connection in this process; other processes may have it still. A connection that is being
    /// made belongs to its internal connection.
    mutating func closeControl() {
        mayHaveEnded()
        if case .open = state, isControlHere { LibraryDescriptor.close(control) }
    }

    /// Forgets the control connection without closing it.
    mutating func detach() {
        state = .none
        (control, controlCookie, controlNumber) = (-1, 0, -1)
    }

    /// The control connection, if it has to stay for a moment: a server drops what it has not yet read when the
    /// connection ends.
    var lingering: InternalConnection? {
        guard case .open = state, unanswered != 0, descriptor_tick() &- unanswered < Association.lingerTicks,
            isControlHere
        else { return nil }
        return InternalConnection(descriptor: control, cookie: controlCookie)
    }

    /// In ticks of 4 milliseconds, `PendingHandle.lingerTime`.
    private static var lingerTicks: UInt32 { 13 }

    /// Whether `descriptor` is its connection.
    func isControl(_ descriptor: Int32) -> Bool { control == descriptor && isControlHere }

    /// Continues with a duplicate of the control connection, if one can be made.
    mutating func moveControl(from descriptor: Int32) {
        guard case .open = state, isControl(descriptor), let moved = LibraryDescriptor.duplicate(descriptor) else {
            return
        }
        control = moved
    }

    /// Ends it. Returns the control connection if that has to stay for a moment.
    mutating func giveUp() -> InternalConnection? {
        let kept = lingering
        if kept == nil { closeControl() }
        detach()
        return kept
    }

    /// The same; datagrams that have arrived by it and were not received yet are dropped.
    mutating func forget() -> InternalConnection? {
        let kept = giveUp()
        if relay.port != 0 { forgottenRelay = relay }
        relay.port = 0
        formerRelay.port = 0
        return kept
    }

    var isOpening: Bool {
        if case .opening = state { return true }
        return false
    }

    func isForgottenRelay(_ source: SocketAddress) -> Bool { isSame(forgottenRelay, source) }

    /// Whether a datagram from this source came from the relay, or from the previous one.
    func isRelay(_ source: SocketAddress) -> Bool {
        isSame(relay, source) || isSame(formerRelay, source)
    }

    private func isSame(_ relay: SocketAddress, _ source: SocketAddress) -> Bool {
        relay.port == source.port && relay.port != 0 && relay.address.unmapped == source.address.unmapped
    }
}

// MARK: Words

extension Association {
    /// The number of words that it is written as.
    static var wordCount: Int { 2 + 3 * 4 + 5 }

    func write(to words: inout WordCursor) {
        switch state {
        case .none: words.write(0, 0)
        case .opening: words.write(1, 0)
        case .open: words.write(2, 0)
        case .failed(let errno): words.write(3, UInt32(bitPattern: errno.code))
        }
        words.write(UInt64(list))
        words.write(relay)
        words.write(formerRelay)
        words.write(forgottenRelay)
        words.write(unanswered, seen)
        words.write(UInt32(bitPattern: process), UInt32(bitPattern: control))
        words.write(controlCookie)
        words.write(UInt64(bitPattern: Int64(controlNumber)))
        words.write(begun, UInt32(bitPattern: opener))
    }

    /// Sets `words.isWrong` for words that are no association.
    init(from words: inout WordCursor) {
        let (kind, errno) = words.readHalves()
        switch kind {
        case 0: state = .none
        case 1: state = .opening
        case 2: state = .open
        case 3 where Errno.words.contains(errno): state = .failed(Errno(Int32(bitPattern: errno)))
        default:
            words.reject()
            state = .none
        }
        list = Int(words.read(upTo: UInt64(Int32.max)))
        relay = words.readSocketAddress()
        formerRelay = words.readSocketAddress()
        forgottenRelay = words.readSocketAddress()
        (unanswered, seen) = words.readHalves()
        let (process, control) = words.readHalves()
        self.process = Int32(bitPattern: process)
        self.control = Int32(bitPattern: control)
        controlCookie = words.read()
        controlNumber = Int(Int64(bitPattern: words.read()))
        let (begun, opener) = words.readHalves()
        self.begun = begun
        self.opener = Int32(bitPattern: opener)
    }
}

// MARK: The relay's address

extension Association {
    /// The address of the relay: BND of the reply, or the proxy's if BND cannot be meant.
    ///
    /// - Parameter proxy: the address by which the proxy was reached.
    static func relay(_ bound: Endpoint, proxy: IPAddress) throws(Errno) -> SocketAddress {
        SocketAddress(address: try address(of: bound.host, proxy: proxy), port: bound.port)
    }

    private static func address(of host: Host, proxy: IPAddress) throws(Errno) -> IPAddress {
        switch host {
        case .address(let address):
            // Some servers listen on every address, or do not know their own as seen from here. An address that is no
            // host's, or this machine's, would send the datagrams astray.
            let isUnusable =
                address.isUnspecified || address.isMulticast || address.isLimitedBroadcast
                || address.isPrivate && !proxy.isPrivate || address.isLoopback && !proxy.isLoopback
            return isUnusable ? proxy : address
        case .name(let name):
            if let address = IPAddress(parsing: name.bytes) {
                return try Self.address(of: .address(address), proxy: proxy)
            }
            // A name as BND is not looked up: the query would go direct.
            var found: IPAddress?
            let shortage = HostsFile.forEachLine { line in
                if line.gives(name) { found = line.address }
                return found == nil
            }
            if let shortage { throw shortage }
            return found ?? proxy
        }
    }
}
