import Addressing
import CPreload
import SharedTables

/// The library's calls on a descriptor of the program.
///
/// They do not change the program's flags, and change options only for the time of a call. Only `connect` on a blocking
/// socket and `wait` block.
struct Socket {
    let descriptor: Int32

    /// The kernel's unique number of the socket (socket(7), SO_COOKIE); nil if the descriptor is no socket or the
    /// kernel refuses.
    var cookie: UInt64? {
        guard case .socket(let cookie) = identity else { return nil }
        return cookie
    }

    /// The identity of the socket behind the descriptor.
    enum Identity: Equatable {
        /// The socket with this cookie.
        case socket(UInt64)
        /// The descriptor is no socket.
        case none
        /// The call failed: the program's filter (seccomp(2)) refuses it, or the kernel has no memory.
        case refused(Errno)
    }

    @inline(never)
    var identity: Identity {
        var cookie: UInt64 = 0
        let result = Int(kernel_getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, 8))
        if result >= 0 { return .socket(cookie) }
        return Socket.isNoSocket(result) ? .none : .refused(Errno(result: result))
    }

    /// Whether it is, or may be, the socket with this cookie.
    func mayBe(_ cookie: UInt64) -> Bool {
        switch identity {
        case .socket(let own): own == cookie
        case .none: false
        case .refused: true
        }
    }

    /// Whether a system call failed because the descriptor is no socket.
    private static func isNoSocket(_ result: Int) -> Bool { result == -Int(EBADF) || result == -Int(ENOTSOCK) }

    enum Transport {
        /// TCP or MPTCP.
        case tcp
        case udp
        /// Another protocol, of IP or of another domain.
        case other
    }

    /// nil if the descriptor is no socket or the kernel refuses.
    var transport: Transport? {
        var number: Int32 = 0
        guard kernel_getsockopt(descriptor, SOL_SOCKET, SO_PROTOCOL, &number, 4) >= 0 else { return nil }
        return switch number {
        case Int32(IPPROTO_TCP), Int32(IPPROTO_MPTCP): .tcp
        case Int32(IPPROTO_UDP): .udp
        default: .other
        }
    }

    /// Whether the socket is a stream over IP. nil like `transport`.
    var isTCP: Bool? { transport.map { $0 == .tcp } }

    /// Whether the socket is a stream, in any domain.
    var isStream: Bool {
        var type: Int32 = 0
        return kernel_getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, 4) == 0
            && type == Int32(SOCK_STREAM.rawValue)
    }

    /// Whether the socket's addresses are those of IP.
    var isInternet: Bool { domain == AF_INET || domain == AF_INET6 }

    /// AF_INET, AF_INET6 or another; -1 if the descriptor is no socket or the kernel refuses.
    @inline(never)
    var domain: Int32 {
        var domain: Int32 = -1
        _ = kernel_getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, 4)
        return domain
    }

    /// Whether the socket is one of UDP.
    var isDatagram: Bool { transport == .udp }

    /// Why an earlier question about the socket failed; nil if the descriptor is no socket. If the question succeeds
    /// now, the kernel had no memory before. Ask this before a call passes because the socket is unknown.
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

    /// SO_SNDTIMEO in milliseconds, rounded up; nil if unset. It limits connect(2).
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

    func connect(to address: ProxyAddress) throws(Errno) {
        let result = address.withForm { cancellable_connect(descriptor, $0, $1) }
        guard result == 0 else { throw Errno(result: result) }
    }

    /// Ends a connection, or an attempt, so that the socket can connect again (connect(2), AF_UNSPEC). poll(2) and
    /// epoll(7) show a failed socket: the kernel keeps an ECONNRESET for it.
    ///
    /// - Throws: EINVAL on a Unix-domain socket, which can connect only once.
    @inline(never)
    func disconnect() throws(Errno) {
        var storage = sockaddr_storage()
        let result = kernel_connect(descriptor, &storage, 16)
        guard result == 0 else { throw Errno(result: result) }
    }

    /// Shuts down directions of a connected socket (shutdown(2)).
    ///
    /// - Parameter how: bit 0: receiving, bit 1: sending.
    func shut(_ how: Int32) {
        _ = kernel_shutdown(descriptor, how - 1)
    }

    /// Shuts down both directions. On an unconnected socket the call fails, but poll(2) and epoll(7) show a hang-up.
    func shutDown() {
        shut(3)
    }

    /// Ends a connection for good: poll(2) and epoll(7) show a hang-up, and no data are left to read.
    func endConnection() {
        shutDown()
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        while true {
            let count = withUnsafeMutableBytes(of: &bytes) { (try? receive(into: $0)) ?? 0 }
            if count == 0 { return }
        }
    }

    /// Whether the socket has a peer in the kernel.
    var isConnected: Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return kernel_getpeername(descriptor, &storage, &length) == 0
    }

    /// The TCP state (tcp(7), TCP_INFO); 0 if there is none.
    var stateOfTCP: Int {
        var state: UInt8 = 0
        return kernel_getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &state, 1) == 0 ? Int(state) : 0
    }

    /// Whether the TCP socket has no connection and is not connecting.
    var isUnconnectedTCP: Bool { stateOfTCP == TCP_CLOSE }

    /// Whether the TCP connection is established, or closed in some direction.
    var isConnectedByTCP: Bool {
        switch stateOfTCP {
        case TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_CLOSE_WAIT, TCP_LAST_ACK, TCP_CLOSING: true
        default: false
        }
    }

    /// A stream socket, closed on exec; or a negative error number.
    static func make(_ domain: Int32, _ flags: Int32 = 0) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue) | flags
        let transport = domain == AF_UNIX ? 0 : Int32(IPPROTO_TCP)
        return Int32(truncatingIfNeeded: keyed_socket(domain, type, transport))
    }

    /// The peer in the kernel; nil if the socket is not connected over IP.
    var peer: SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard kernel_getpeername(descriptor, &storage, &length) == 0 else { return nil }
        return withUnsafeBytes(of: &storage) { bytes in
            SocketAddress(bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), length: length)
        }
    }

    /// Starts connecting without waiting, even if the program has not set O_NONBLOCK. Throws EINPROGRESS while
    /// connecting; returns if the connection is established immediately, or with TCP_FASTOPEN_CONNECT.
    @inline(never)
    func beginConnecting(to address: ProxyAddress) throws(Errno) {
        let isNonBlocking = isNonBlocking
        let sendTimeout = isNonBlocking ? nil : sendTimeout
        if !isNonBlocking { setSendTimeout(milliseconds: Socket.leastTimeout) }
        let result = address.withForm { kernel_connect(descriptor, $0, $1) }
        if !isNonBlocking { setSendTimeout(milliseconds: sendTimeout) }
        guard result == 0 else { throw result == Int(-EINTR) ? .inProgress : Errno(result: result) }
    }

    /// The shortest SO_SNDTIMEO; 0 means no limit.
    private static var leastTimeout: Int { 1 }

    /// Starts or continues connecting a non-blocking socket. Throws EINPROGRESS or EALREADY while connecting.
    func concludeConnecting(to address: ProxyAddress) throws(Errno) {
        let result = address.withForm { kernel_connect(descriptor, $0, $1) }
        // With TCP_FASTOPEN_CONNECT the kernel reports success before it connects with the first bytes.
        guard result == 0 || result == Int(-EISCONN) else { throw Errno(result: result) }
    }

    /// Reads and clears SO_ERROR; nil if it is 0.
    func takeError() -> Errno? {
        var code: Int32 = 0
        let result = kernel_getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, 4)
        guard result == 0 else { return Errno(result: result) }
        return code == 0 ? nil : Errno(code)
    }

    /// Sends as many bytes as possible without waiting. Throws EAGAIN if it can send none.
    func send(_ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int {
        guard let start = bytes.baseAddress else { return 0 }
        let result = kernel_send(descriptor, start, bytes.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// The same of two parts, one of which may be empty.
    func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(Errno) -> Int {
        var parts: InlineArray<2, iovec> = [
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count),
        ]
        var span = parts.mutableSpan
        let result = span.withUnsafeMutableBufferPointer { parts in
            var message = msghdr()
            message.msg_iov = parts.baseAddress
            message.msg_iovlen = parts.count
            return kernel_send_message(descriptor, &message, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
        }
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// Receives without waiting; 0 at the end of the stream. Throws EAGAIN if there are no bytes.
    func receive(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        let result = kernel_receive(descriptor, start, buffer.count, Int32(MSG_DONTWAIT))
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// Like `receive`, but leaves the bytes in the socket (MSG_PEEK).
    func peek(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        let flags = Int32(MSG_DONTWAIT | MSG_PEEK)
        let result = kernel_receive(descriptor, start, buffer.count, flags)
        guard result >= 0 else { throw Errno(result: result) }
        return result
    }

    /// The number of unread bytes (FIONREAD).
    var unreadCount: Int { max(kernel_unread(descriptor), 0) }

    /// The events to wait for with poll(2).
    enum Readiness {
        case toRead, toWrite

        var events: Int16 { Int16(self == .toRead ? POLLIN : POLLOUT) }
    }

    /// The current events of poll(2), errors included.
    var readyEvents: Int16 { Int16(truncatingIfNeeded: max(kernel_poll_now(descriptor, POLLIN | POLLOUT), 0)) }

    /// Waits until the socket is ready or has an error, and returns its events of poll(2); 0 when the time is over.
    ///
    /// - Parameter milliseconds: nil waits without limit.
    /// - Throws: EINTR after any signal handler.
    func wait(for readiness: Readiness, milliseconds: Int?) throws(Errno) -> Int16 {
        var poll = pollfd(fd: descriptor, events: readiness.events, revents: 0)
        let limit = Int32(truncatingIfNeeded: min(milliseconds ?? -1, Clock.longest))
        let result = cancellable_poll(&poll, limit)
        guard result >= 0 else { throw Errno(result: result) }
        return poll.revents
    }

    /// The value of a numeric option; nil if the socket lacks the option.
    func number(of option: SocketOption) -> Int32? {
        var value: Int32 = 0
        return kernel_getsockopt(descriptor, option.level, option.name, &value, 4) == 0 ? value : nil
    }

    func set(_ number: Int32, of option: SocketOption) {
        var value = number
        _ = kernel_setsockopt(descriptor, option.level, option.name, &value, 4)
    }

    /// Sets how many bytes make the socket readable (socket(7), SO_RCVLOWAT).
    func setLowWater(_ count: Int32) {
        var value = count
        _ = kernel_setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &value, 4)
    }

    /// TCP_USER_TIMEOUT in milliseconds (tcp(7)); 0: the kernel's default.
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
    /// A non-blocking datagram socket, closed on exec; or a negative error number.
    static func makeDatagrams(_ domain: Int32) -> Int32 {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return Int32(truncatingIfNeeded: keyed_socket(domain, type, Int32(IPPROTO_UDP)))
    }

    /// Sends an empty datagram to the peer in the kernel, without waiting.
    func sendNothing() {
        var byte: UInt8 = 0
        _ = kernel_send(descriptor, &byte, 0, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
    }

    /// Whether the socket cannot send to IPv4 addresses, because of IPV6_V6ONLY or because it is bound to an IPv6
    /// address.
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

    /// Whether an IPv6 socket excludes IPv4 (ipv6(7), IPV6_V6ONLY).
    var isIPv6Only: Bool {
        var value: Int32 = 0
        return kernel_getsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &value, 4) == 0 && value != 0
    }

    @inline(never)
    func bind(to address: SocketAddress) throws(Errno) {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { address.write(to: $0) }
        let result = kernel_bind(descriptor, &storage, socklen_t(length))
        // Another thread was first.
        guard result == 0 || result == Int(-EINVAL) else { throw Errno(result: result) }
    }

    /// Connects a datagram socket: the kernel sends to this address and receives only from it. Sends nothing.
    @inline(never)
    func connectDatagrams(to address: SocketAddress) throws(Errno) {
        var storage = sockaddr_storage()
        let length = withUnsafeMutableBytes(of: &storage) { address.write(to: $0) }
        let result = kernel_connect(descriptor, &storage, socklen_t(length))
        guard result == 0 else { throw Errno(result: result) }
    }

    /// Sends one datagram without waiting.
    ///
    /// - Parameter address: nil for the peer in the kernel.
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
