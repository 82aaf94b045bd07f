import CPreload
import ProxyConfig
import SOCKS5
import SharedTables
import Synchronization

/// A pending handshake, and what is to be put back when it is over.
struct PendingConnection {
    var handshake: Handshake
    var role: ConnectionRole
    /// The socket's. Where another took the socket's place, that one's.
    var cookie: UInt64 = 0
    /// A descriptor of the socket: the last that the program named it by in this process.
    private(set) var descriptor: Int32
    /// The descriptor's marks when it was named in the process that called connect(2): with the count that is theirs they
    /// tell whether the number has become another socket's since. 0 when another process named it.
    private(set) var mark: UInt32 = 0
    /// The process that called connect(2), and how often it had forked: whether others may have the socket too.
    var process: Int32
    var forks: UInt32
    /// Whether the kernel was asked to connect. Before that the socket is ready for everything, and means nothing.
    var isStarted = false
    /// Whether somebody found it ready before that.
    var wasAskedEarly = false
    /// Set when nobody knows how far the handshake came.
    var isBroken = false
    /// Why the handshake failed, once it has.
    var failure: HandshakeFailure?
    /// TCP_USER_TIMEOUT as the program has set it, while the library's stands in its place.
    var userTimeout: Int32?
    var lent = LentOptions()
    var registrations = InlineArray<8, RecordedRegistration>(repeating: RecordedRegistration())
    var registrationCount = 0
    /// Whether the program is not known to wait for the socket: an epoll may watch it by a registration that was not
    /// seen.
    var isUnwatched = false
    /// How the program has shut the socket before, as bits of `PeerTable.insert(shut:)`.
    var shut: Int32 = 0
    /// Whether the kernel has said that it is connected to the first proxy, so that it will not say so again when the
    /// connection stands.
    var isToldByKernel = false
    /// Whether another process goes on with it, which shares nothing with this one but the socket and what the tree knows of
    /// it.
    var isElsewhere = false
    /// In which calls of the process that called connect(2) it goes on.
    private(set) var attendance = Attendance.call

    init(_ handshake: Handshake, descriptor: Int32, role: ConnectionRole = .connection) {
        self.handshake = handshake
        self.role = role
        self.descriptor = descriptor
        process = process_own_id()
        forks = process_forks()
    }

    /// Stands for one of which this process knows nothing.
    ///
    /// - Parameter descriptor: where this process has the socket; -1 where it is not known to.
    static func lost(cookie: UInt64, descriptor: Int32 = -1) -> PendingConnection {
        var record = PendingConnection(
            Handshake(
                for: .associating(overIPv6: false), peer: .unspecified(AF_INET), family: .own, list: 0, chain: Chain(),
                failed: ProxySet()),
            descriptor: descriptor)
        if descriptor < 0 { (record.process, record.forks) = (0, 0) }
        record.cookie = cookie
        record.isStarted = true
        return record
    }

    /// From now on the socket is known by this descriptor, whose calls are to be held up.
    mutating func name(by descriptor: Int32) {
        self.descriptor = descriptor
        let marks = descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_PENDING))
        mark = isOwn ? marks : 0
    }

    /// Counts it among those that go on in such calls.
    mutating func attend(_ attendance: Attendance) {
        if isOwn {
            unattended_add((attendance == .call ? 0 : 1) - (self.attendance == .call ? 0 : 1))
            unattended_add_unwatched((attendance == .anyCall ? 1 : 0) - (self.attendance == .anyCall ? 1 : 0))
        }
        self.attendance = attendance
    }

    /// Whether this process called connect(2).
    var isOwn: Bool { process == process_own_id() }

    var isOwnInternal: Bool { role.isInternal && isOwn }
    var isInternalOfAnother: Bool { role.isInternal && !isOwn }

    /// Whether a child of fork may have the socket, too.
    var mayBeShared: Bool { process != Int32(truncatingIfNeeded: kernel_process_id()) || forks != process_forks() }
}
