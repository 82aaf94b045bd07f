import Addressing
import CPreload
import SocketTable

/// A descriptor of the program, with the calls that the library makes on it.
///
/// None of them changes the program's flags, or options but for a time, and none waits but `connect` on a blocking socket.
struct Socket {
    let descriptor: Int32

    /// The cookie that the kernel gives every socket once (socket(7), SO_COOKIE); nil for what is no socket, and where
    /// the kernel does not tell.
    var cookie: UInt64? {
        guard case .socket(let cookie) = identity else { return nil }
        return cookie
    }

    /// Which socket the descriptor stands for.
    enum Identity: Equatable {
        /// The one with this cookie.
        case socket(UInt64)
        /// None.
        case none
        /// The kernel does not tell: a filter of the program's (seccomp(2)) refuses the question, or there is no memory
        /// for an answer.
        case refused(Errno)
    }

    @inline(never)
    var identity: Identity {
        var cookie: UInt64 = 0
        let result = Int(kernel_getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, 8))
        if result >= 0 { return .socket(cookie) }
        return Socket.isNoSocket(result) ? .none : .refused(Errno(result: result))
    }

    /// Whether it stands for the socket with this cookie, as far as the kernel tells.
    func mayBe(_ cookie: UInt64) -> Bool {
        switch identity {
        case .socket(let own): own == cookie
        case .none: false
        case .refused: true
        }
    }

    /// Whether a system call has failed because the descriptor stands for no socket.
    private static func isNoSocket(_ result: Int) -> Bool { result == -Int(EBADF) || result == -Int(ENOTSOCK) }

    enum Transport {
        /// MPTCP is used alike.
        case tcp
        case udp
        /// Of IP or of another domain.
        case other
    }

    /// nil for what is no socket, and where the kernel does not tell.
    var transport: Transport? {
        var number: Int32 = 0
        guard kernel_getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &number, 4) >= 0 else { return nil }
        return switch number {
        case Int32(IPPROTO_TCP), Int32(IPPROTO_MPTCP): .tcp
        case Int32(IPPROTO_UDP): .udp
        default: .other
        }
    }

    /// Whether the socket is a stream over IP. nil as of `transport`.
    var isTCP: Bool? { transport.map { $0 == .tcp } }

    /// Whether the socket is a stream, of whatever domain.
    var isStream: Bool {
        var type: Int32 = 0
        return kernel_getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, 4) == 0
            && type == Int32(SOCK_STREAM.rawValue)
    }

    /// Whether the socket's addresses are those of IP.
    var isInternet: Bool { domain == AF_INET || domain == AF_INET6 }

    /// AF_INET, AF_INET6 or another; -1 for what is no socket, and where the kernel does not tell.
    @inline(never)
    var domain: Int32 {
        var domain: Int32 = -1
        _ = kernel_getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, 4)
        return domain
    }

    /// Whether the socket is one of UDP.
    var isDatagram: Bool { transport == .udp }

    /// Why the kernel has not told what the socket is; nil for a descriptor that stands for none. A kernel that tells now
    /// had no memory for an answer. Whoever lets a call pass because nothing is known of the socket has to ask this first.
    var refusal: Errno? {
        var domain: Int32 = 0
        let result = Int(kernel_getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, 4))
        if result >= 0 { return .outOfBuffers }
        return Socket.isNoSocket(result) ? nil : Errno(result: result)
    }

    /// Whether the program has set O_NONBLOCK.
    var isNonBlocking: Bool {
        let flags = kernel_status_flags(descriptor)
        return flags >= 0 && flags & Int(O_NONBLOCK) != 0
    }

    /// SO_SNDTIMEO in milliseconds, rounded up; nil when it is not set. It limits how long connect(2) may take.
    var sendTimeout: Int? { timeout(SO_SNDTIMEO) }

    /// SO_RCVTIMEO, likewise.
    var receiveTimeout: Int? { timeout(SO_RCVTIMEO) }

    @inline(never)
    private func timeout(_ option: Int32) -> Int? {
        var value = timeval()
        guard kernel_getsockopt(descriptor, SOL_SOCKET, option, &value, Socket.timeoutSize) == 0,
            value.tv_sec != 0 || value.tv_usec != 0
        else { return nil }
        let seconds = min(max(Int(value.tv_sec), 0), Clock.longest / 1000)
        return seconds * 1000 + (Int(value.tv_usec) + 999) / 1000
    }

    /// Sets SO_SNDTIMEO; nil: no limit.
    func setSendTimeout(milliseconds: Int?) {
        let milliseconds = milliseconds ?? 0
        var value = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        _ = kernel_setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &value, Socket.timeoutSize)
    }

    private static var timeoutSize: socklen_t { socklen_t(MemoryLayout<timeval>.size) }

    func connect(to address: HopAddress) throws(Errno) {
        let result = address.withForm { cancellable_connect(descriptor, $0, $1) }
        guard result == 0 else { throw Errno(result: result) }
    }

    /// Ends a connection, or an attempt, so that the socket can connect anew (connect(2), AF_UNSPEC). To the program's
    /// poll(2) and epoll(7) it is one that failed: the kernel keeps an ECONNRESET for it.
    ///
    /// EINVAL on a socket of a Unix domain, which connects but once.
    @inline(never)
    func disconnect() throws(Errno) {
        var storage = sockaddr_storage()
        let result = kernel_connect(descriptor, &storage, 16)
        guard result == 0 else { throw Errno(result: result) }
    }

    /// Ends directions, of a socket that is connected.
    ///
    /// - Parameter how: bits, 1: for receiving, 2: for sending.
    func shut(_ how: Int32) {
        _ = kernel_shutdown(descriptor, how - 1)
    }

    /// Ends both directions. The kernel refuses it of a socket that is not connected, and takes note of it all the same:
    /// to poll(2) and epoll(7) it has hung up.
    func shutDown() {
        shut(3)
    }

    /// Ends a connection for good: to poll(2) and epoll(7) it is one that hung up, and there is nothing to be read.
    func endConnection() {
        shutDown()
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        while true {
            let count = withUnsafeMutableBytes(of: &bytes) { (try? receive(into: $0)) ?? 0 }
            if count == 0 { return }
        }
    }

    /// Whether the kernel has the socket connected, however.
    var isConnected: Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return kernel_getpeername(descriptor, &storage, &length) == 0
    }

    /// The state of TCP (tcp(7), TCP_INFO); 0 where there is none.
    var stateOfTCP: Int {
        var state: UInt8 = 0
        return kernel_getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &state, 1) == 0 ? Int(state) : 0
    }

    /// Whether TCP has no connection, and makes none.
    var isUnconnectedTCP: Bool { stateOfTCP == TCP_CLOSE }

    /// Whether the kernel's connection stands, or has ended in one direction.
    var isConnectedByTCP: Bool {
        switch stateOfTCP {
        case TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT, TCP_LAST_ACK, TCP_CLOSING: true
        default: false
        }
    }

    /// A stream, closed on exec; a negative error number when there is none.
    static func make(_ domain: Int32, _ flags: Int32 = 0) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) | flags
        let transport = domain == AF_UNIX ? 0 : Int32(IPPROTO_TCP)
        return Int32(truncatingIfNeeded: keyed_socket(domain, type, transport))
    }

    /// The address that the kernel has the socket connected to; nil when it is not connected, or not by IP.
    var peer: SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard kernel_getpeername(descriptor, &storage, &length) == 0 else { return nil }
        return withUnsafeBytes(of: &storage) { bytes in
            SocketAddress(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), length: length)
        }
    }

    /// Begins to connect, and waits for no answer, whether the program has set O_NONBLOCK or not. EINPROGRESS when it is
    /// under way; 0 is what the kernel says of a machine that needs no time, or with TCP_FASTOPEN_CONNECT.
    @inline(never)
    func beginConnecting(to address: HopAddress) throws(Errno) {
        let isNonBlocking = isNonBlocking
        let sendTimeout = isNonBlocking ? nil : sendTimeout
        if !isNonBlocking { setSendTimeout(milliseconds: Socket.leastTimeout) }
        let result = address.withForm { kernel_connect(descriptor, $0, $1) }
        if !isNonBlocking { setSendTimeout(milliseconds: sendTimeout) }
        guard result == 0 else { throw result == Int(-EINTR) ? .inProgress : Errno(result: result) }
    }

    /// The shortest that SO_SNDTIMEO can be; 0 stands for no limit.
    private static var leastTimeout: Int { 1 }

    /// Begins to connect a socket that does not wait. EINPROGRESS or EALREADY while it is under way.
    func concludeConnecting(to address: HopAddress) throws(Errno) {
        let result = address.withForm { kernel_connect(descriptor, $0, $1) }
        // TCP_FASTOPEN_CONNECT: the kernel calls connected what it will connect with the first bytes.
        guard result == 0 || result == Int(-EISCONN) else { throw Errno(result: result) }
    }

    /// The error that the kernel keeps for the socket, which is thereby taken; nil when there is none.
    func takeError() -> Errno? {
        var code: Int32 = 0
        let result = kernel_getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, 4)
        guard result == 0 else { return Errno(result: result) }
        return code == 0 ? nil : Errno(code)
    }

    /// Sends what can be sent without waiting; EAGAIN when that is nothing.
    func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        let result = kernel_send(descriptor, start, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// Receives at most as many bytes as fit, without waiting; EAGAIN when there are none, 0 at the end of the stream.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        let result = kernel_receive(descriptor, start, buffer.count, Int32(MSG_DONTWAIT))
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// The same, and leaves them there.
    func peek(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        let flags = Int32(MSG_DONTWAIT | MSG_PEEK)
        let result = kernel_receive(descriptor, start, buffer.count, flags)
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// Bytes that lie there to be received.
    var unreadCount: Int { max(kernel_unread(descriptor), 0) }

    /// What poll(2) waits for.
    enum Readiness {
        case toRead, toWrite

        var events: Int16 { Int16(self == .toRead ? POLLIN : POLLOUT) }
    }

    /// What is ready now: events of poll(2), errors included.
    var readyEvents: Int16 { Int16(truncatingIfNeeded: max(kernel_poll_now(descriptor, POLLIN | POLLOUT), 0)) }

    /// Waits until the socket is ready or has an error, and returns its events of poll(2); 0 when the time is over.
    /// EINTR by any signal handler.
    ///
    /// - Parameter milliseconds: nil waits without limit.
    func wait(for readiness: Readiness, milliseconds: Int?) throws(Errno) -> Int16 {
        var poll = pollfd(fd: descriptor, events: readiness.events, revents: 0)
        let limit = Int32(truncatingIfNeeded: min(milliseconds ?? -1, Clock.longest))
        let result = cancellable_poll(&poll, limit)
        guard result >= 0 else { throw Errno(result: result) }
        return poll.revents
    }

    /// The value of an option that is a number; nil where the socket has no such option.
    func number(of option: SocketOption) -> Int32? {
        var value: Int32 = 0
        return kernel_getsockopt(descriptor, option.level, option.name, &value, 4) == 0 ? value : nil
    }

    func set(_ number: Int32, of option: SocketOption) {
        var value = number
        _ = kernel_setsockopt(descriptor, option.level, option.name, &value, 4)
    }

    /// TCP_USER_TIMEOUT in milliseconds (tcp(7)): how long the kernel tries; 0: as long as it likes.
    var userTimeout: Int32 {
        var value: Int32 = 0
        return kernel_getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, 4) == 0 ? value : 0
    }

    func setUserTimeout(_ milliseconds: Int32) {
        var value = milliseconds
        _ = kernel_setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, 4)
    }
}

/// Sockets of datagrams.
extension Socket {
    /// One that does not wait, closed on exec; a negative error number when there is none.
    static func makeDatagrams(_ domain: Int32) -> Int32 {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return Int32(truncatingIfNeeded: keyed_socket(domain, type, Int32(IPPROTO_UDP)))
    }

    /// Sends a datagram of no bytes to the kernel's own peer, without waiting.
    func sendNothing() {
        var byte: UInt8 = 0
        _ = kernel_send(descriptor, &byte, 0, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }

    /// Whether it sends to no IPv4 address: by its option, or because it is bound to an address of IPv6.
    var sendsToIPv6Alone: Bool {
        guard domain == AF_INET6 else { return false }
        if isIPv6Only { return true }
        guard let name = try? name, case .v6 = name.address.unmapped else { return false }
        return !name.address.isUnspecified
    }

    /// The socket's own address.
    var name: SocketAddress {
        @inline(never) get throws(Errno) {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let result = kernel_getsockname(descriptor, &storage, &length)
            guard result == 0 else { throw Errno(result: result) }
            let name = withUnsafeBytes(of: &storage) { bytes in
                SocketAddress(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), length: length)
            }
            guard let name else { throw Errno(EAFNOSUPPORT) }
            return name
        }
    }

    /// Whether an IPv6 socket has nothing to do with IPv4 (ipv6(7), IPV6_V6ONLY).
    var isIPv6Only: Bool {
        var value: Int32 = 0
        return kernel_getsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &value, 4) == 0 && value != 0
    }

    @inline(never)
    func bind(to address: SocketAddress) throws(Errno) {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { address.write(to: $0) }
        let result = kernel_bind(descriptor, &storage, socklen_t(length))
        // Somebody else was first.
        guard result == 0 || result == Int(-EINVAL) else { throw Errno(result: result) }
    }

    /// Has the kernel send to this address, and receive from no other. It asks nobody.
    @inline(never)
    func connectDatagrams(to address: SocketAddress) throws(Errno) {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { address.write(to: $0) }
        let result = kernel_connect(descriptor, &storage, socklen_t(length))
        guard result == 0 else { throw Errno(result: result) }
    }

    /// Sends one datagram without waiting.
    ///
    /// - Parameter address: nil: to the kernel's own peer.
    func sendDatagram(_ bytes: UnsafeRawBufferPointer, to address: SocketAddress?) throws(Errno) {
        guard let start = bytes.baseAddress else { return }
        let flags = Int32(MSG_DONTWAIT | MSG_NOSIGNAL)
        let result: Int
        if let address {
            var storage = sockaddr_storage()
            let length = withUnsafeMutableBytes(of: &storage) { address.write(to: $0) }
            result = kernel_send_to(descriptor, start, bytes.count, flags, &storage, socklen_t(length))
        } else {
            result = kernel_send(descriptor, start, bytes.count, flags)
        }
        guard result >= 0 else { throw Errno(result: result) }
    }
}
