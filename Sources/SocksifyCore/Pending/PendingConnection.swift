import CPreload
import ProxyConfig
import SOCKS5
import SharedTables
import StreamSecurity
import Synchronization

/// A pending connection, and what is to be restored at its end.
struct PendingConnection {
    var handshake: Handshake
    var role: ConnectionRole
    /// The socket's, or that of its substitute.
    var cookie: UInt64 = 0
    /// The last known descriptor of the socket in this process.
    private(set) var descriptor: Int32
    /// The descriptor's marks in the process that called connect(2), with their count: they show whether the number has
    /// become another socket's since. 0 if another process set the descriptor.
    private(set) var mark: UInt32 = 0
    /// The process that called connect(2), and its number of forks then: whether others may have the socket too.
    var process: Int32
    var forks: UInt32
    /// Whether the kernel was asked to connect. Before that the socket's events mean nothing.
    var isStarted = false
    /// Whether a call found the socket ready before that.
    var wasAskedEarly = false
    /// Set if nobody knows how far the handshake came.
    var isBroken = false
    /// The failure, if it has failed.
    var failure: HandshakeFailure?
    /// The program's TCP_USER_TIMEOUT, while the library's is set instead.
    var userTimeout: Int32?
    var lent = LentOptions()
    /// The security contexts with proxies, if there are any. They are this process's own.
    var security: UnsafeMutablePointer<SecurityLayers>?
    var registrations = InlineArray<8, RecordedRegistration>(repeating: RecordedRegistration())
    var registrationCount = 0
    /// Whether no call is known to wait for the socket: an epoll may watch it by a registration that was not seen.
    var isUnwatched = false
    /// How the program has shut the socket down, as bits of `PeerTable.insert(shut:)`.
    var shut: Int32 = 0
    /// Whether the kernel has reported the TCP connection to the first proxy, and so will not report again when the
    /// connection is established.
    var isToldByKernel = false
    /// Whether another process continues it that shares only the socket and the process tree's table with this one.
    var isElsewhere = false
    /// The calls of the process that called connect(2) that advance it.
    private(set) var attendance = Attendance.call

    init(_ handshake: Handshake, descriptor: Int32, role: ConnectionRole = .connection) {
        self.handshake = handshake
        self.role = role
        self.descriptor = descriptor
        process = process_own_id()
        forks = process_forks()
    }

    /// A placeholder for a connection of which this process knows nothing.
    ///
    /// - Parameter descriptor: the socket's in this process; -1 if unknown.
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

    /// Sets the descriptor, and marks it: its calls are held up.
    mutating func name(by descriptor: Int32) {
        self.descriptor = descriptor
        let marks = descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_PENDING))
        mark = isOwn ? marks : 0
    }

    /// Sets the calls that advance it, and counts it among these.
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

    /// Whether a forked child may have the socket, too.
    var mayBeShared: Bool { process != Int32(truncatingIfNeeded: kernel_process_id()) || forks != process_forks() }
}
