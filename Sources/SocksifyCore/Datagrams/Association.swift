import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SharedTables

/// The UDP association of a relayed socket (RFC 1928 section 4, UDP ASSOCIATE): the relay that its datagrams go to, and
/// the TCP connection that the relay lives as long as.
struct Association {
    enum State {
        case none
        /// The handshake is under way.
        case opening
        case open
        /// The handshake has failed, and nobody was told yet.
        case failed(Errno)
    }

    private(set) var state = State.none
    /// The list whose proxy has it: its index in `Configuration.lists`.
    private(set) var list = 0
    /// Where datagrams go, in the form of the socket's family.
    private(set) var relay = SocketAddress.unspecified(AF_INET)
    /// The relay of the previous association, from which datagrams may still arrive.
    private var formerRelay = SocketAddress.unspecified(AF_INET)
    /// The relay of a time when the socket had another port: what came from there is for nobody any more.
    private var forgottenRelay = SocketAddress.unspecified(AF_INET)
    /// The tick of the last datagram sent, if none was received since; else 0.
    var unanswered: UInt32 = 0
    /// The TCP connection: its descriptor in the process that opened it, its cookie, its number among sockets.
    private(set) var control: Int32 = -1
    private(set) var controlCookie: UInt64 = 0
    private var controlNumber = -1
    private var process: Int32 = 0
    /// The thread that opens it, and the tick in which it began to.
    private var opener: Int32 = 0
    private var begun: UInt32 = 0
    /// The tick in which it was seen to live.
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

    /// The TCP connection is there, and about to be made.
    mutating func begin(control: Int32, cookie: UInt64) {
        self.control = control
        controlCookie = cookie
        controlNumber = process_is_confined() != 0 ? -1 : kernel_socket_number(process, control)
    }

    mutating func opened(relay: SocketAddress) {
        if relay != self.relay { formerRelay = self.relay }
        // Some servers have one for all.
        if isForgottenRelay(relay) { forgottenRelay.port = 0 }
        self.relay = relay
        state = .open
        seen = descriptor_tick()
    }

    mutating func failed(_ errno: Errno) {
        state = .failed(errno)
        (control, controlCookie) = (-1, 0)
    }

    /// The failure has been told: it is opened anew when it is needed.
    mutating func forgetFailure() {
        state = .none
    }

    /// The connection that is being made, if this process makes it.
    var connection: InternalConnection? {
        guard case .opening = state, process == process_own_id(), controlCookie != 0 else { return nil }
        return InternalConnection(descriptor: control, cookie: controlCookie)
    }

    /// Milliseconds for which a call that sends waits for it yet: as long as a kernel looks for a neighbour before it gives
    /// up, since it began to be opened.
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

    /// Whether datagrams for the proxies of this list can go by it, or it can still be opened for them.
    func serves(_ list: Int) -> Bool {
        switch state {
        case .none, .failed: true
        case .opening, .open: self.list == list
        }
    }

    // MARK: The end

    /// Sees to it that the relay is there: the server ends it with the connection. The server is asked once in a tick;
    /// another process, which has the connection and may end at any time, each time.
    ///
    /// - Parameter tick: the present one.
    @inline(never)
    mutating func check(_ tick: UInt32) {
        guard case .open = state else { return }
        if tick == seen, process == process_own_id() || isControlHere { return }
        seen = tick
        if !isAlive { end() }
    }

    /// The same, whenever it was asked before.
    mutating func checkNow() {
        mayHaveEnded()
        check(descriptor_tick())
    }

    /// The next sender checks that it is alive.
    mutating func mayHaveEnded() { seen = 0 }

    private var isAlive: Bool {
        guard isControlHere else {
            // A process that closed it, or was replaced by another program, while another has it.
            return process != process_own_id() && controlNumber >= 0
                && kernel_socket_number(process, control) == controlNumber
        }
        // There is nothing to read on it but its end.
        return kernel_poll_now(control, POLLIN) == 0
    }

    /// Whether this process has the connection.
    @inline(never)
    private var isControlHere: Bool {
        guard control >= 0, controlCookie != 0, LibraryDescriptor.isOwn(control) else { return false }
        switch Socket(descriptor: control).identity {
        case .socket(let cookie): return cookie == controlCookie
        case .none: return false
        // Nobody but the library closes what is its own.
        case .refused: return process == process_own_id()
        }
    }

    /// Ends it; it is opened anew when it is needed.
    mutating func end() {
        closeControl()
        detach()
    }

    /// Closes the connection in this process; others may have it still. One that is being made is the internal
    /// connection's.
    mutating func closeControl() {
        mayHaveEnded()
        if case .open = state, isControlHere { LibraryDescriptor.close(control) }
    }

    /// The connection is somebody else's matter.
    mutating func detach() {
        state = .none
        (control, controlCookie, controlNumber) = (-1, 0, -1)
    }

    /// The connection, if it is not to be closed yet: the server may have to take what was sent last from its socket, and
    /// would drop it.
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

    /// Goes on by another number of the connection, if there is one.
    mutating func moveControl(from descriptor: Int32) {
        guard case .open = state, isControl(descriptor), let moved = LibraryDescriptor.duplicate(descriptor) else {
            return
        }
        control = moved
    }

    /// Ends it. Returns the connection where that is to be kept for a moment.
    mutating func giveUp() -> InternalConnection? {
        let kept = lingering
        if kept == nil { closeControl() }
        detach()
        return kept
    }

    /// The same; what has come in by it, and was not received yet, is nobody's.
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

    /// Whether something that came from there came from its relay, or from that of the one before.
    func isRelay(_ source: SocketAddress) -> Bool {
        isSame(relay, source) || isSame(formerRelay, source)
    }

    private func isSame(_ relay: SocketAddress, _ source: SocketAddress) -> Bool {
        relay.port == source.port && relay.port != 0 && relay.address.unmapped == source.address.unmapped
    }
}

// MARK: Words

extension Association {
    /// How many words it is written as.
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

    /// `words.isWrong` tells of words that no association was written as.
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
    /// Where the relay is: BND of the reply, or the proxy where that cannot be meant.
    ///
    /// - Parameter proxy: the address by which the proxy was reached.
    static func relay(_ bound: Endpoint, proxy: IPAddress) throws(Errno) -> SocketAddress {
        SocketAddress(address: try address(of: bound.host, proxy: proxy), port: bound.port)
    }

    private static func address(of host: Host, proxy: IPAddress) throws(Errno) -> IPAddress {
        switch host {
        case .address(let address):
            // A server that listens on every address, or that does not know what its own is from here; and what is no
            // host's, or this one's, where a proxy would have datagrams sent that are not for it.
            let isUnusable =
                address.isUnspecified || address.isMulticast || address.isLimitedBroadcast
                || address.isPrivate && !proxy.isPrivate || address.isLoopback && !proxy.isLoopback
            return isUnusable ? proxy : address
        case .name(let name):
            if let address = IPAddress(parsing: name.bytes) {
                return try Self.address(of: .address(address), proxy: proxy)
            }
            // Nobody is asked for it: the question would go around the proxy.
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
