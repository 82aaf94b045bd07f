import CPreload
import SharedTables

/// The options of a stream, copied from a socket to its substitute.
///
/// Copies only what the program has changed: setting an option to its default may have an effect (SO_RCVBUF ends the
/// kernel's own choice).
enum SocketOptions {
    /// The options that programs set on a stream before connecting.
    @inline(never)
    private static func makeList() -> InlineArray<43, SocketOption> {
        let (tcp, ip, ipv6) = (Int32(IPPROTO_TCP), Int32(IPPROTO_IP), Int32(IPPROTO_IPV6))
        return [
            SocketOption(SOL_SOCKET, SO_REUSEADDR), SocketOption(SOL_SOCKET, SO_REUSEPORT),
            SocketOption(SOL_SOCKET, SO_KEEPALIVE), SocketOption(SOL_SOCKET, SO_LINGER),
            SocketOption(SOL_SOCKET, SO_OOBINLINE), SocketOption(SOL_SOCKET, SO_DONTROUTE),
            SocketOption(SOL_SOCKET, SO_RCVBUF), SocketOption(SOL_SOCKET, SO_SNDBUF),
            SocketOption(SOL_SOCKET, SO_RCVLOWAT), SocketOption(SOL_SOCKET, SO_RCVTIMEO),
            SocketOption(SOL_SOCKET, SO_SNDTIMEO),
            SocketOption(SOL_SOCKET, SO_MARK), SocketOption(SOL_SOCKET, SO_BUSY_POLL),
            SocketOption(SOL_SOCKET, SO_BINDTOIFINDEX), SocketOption(SOL_SOCKET, SO_TIMESTAMP),
            SocketOption(tcp, TCP_NODELAY), SocketOption(tcp, TCP_MAXSEG), SocketOption(tcp, TCP_CORK),
            SocketOption(tcp, TCP_KEEPIDLE), SocketOption(tcp, TCP_KEEPINTVL), SocketOption(tcp, TCP_KEEPCNT),
            SocketOption(tcp, TCP_SYNCNT), SocketOption(tcp, TCP_LINGER2), SocketOption(tcp, TCP_DEFER_ACCEPT),
            SocketOption(tcp, TCP_WINDOW_CLAMP), SocketOption(tcp, TCP_QUICKACK), SocketOption(tcp, TCP_CONGESTION),
            SocketOption(tcp, TCP_USER_TIMEOUT), SocketOption(tcp, TCP_NOTSENT_LOWAT),
            SocketOption(tcp, TCP_FASTOPEN_CONNECT),
            SocketOption(ip, IP_TOS), SocketOption(ip, IP_TTL), SocketOption(ip, IP_MTU_DISCOVER),
            SocketOption(ip, IP_RECVERR), SocketOption(ip, IP_FREEBIND), SocketOption(ip, IP_TRANSPARENT),
            SocketOption(ip, IP_BIND_ADDRESS_NO_PORT),
            SocketOption(ipv6, IPV6_V6ONLY), SocketOption(ipv6, IPV6_TCLASS), SocketOption(ipv6, IPV6_UNICAST_HOPS),
            SocketOption(ipv6, IPV6_MTU_DISCOVER), SocketOption(ipv6, IPV6_RECVERR),
            // IP_TOS changes it.
            SocketOption(SOL_SOCKET, SO_PRIORITY),
        ]
    }

    /// Whether the socket may have options that a handshake has to respect; the kernel is asked for them.
    static func mayHold(_ socket: Socket) -> Bool {
        descriptor_mark(socket.descriptor) & UInt32(DESCRIPTOR_OPTIONS | DESCRIPTOR_DUPLICATED) != 0
    }

    /// Whether the program has set a route for the socket's packets.
    @inline(never)
    static func haveWay(of socket: Socket) -> Bool {
        socket.number(of: device) ?? 0 != 0 || socket.number(of: mark) ?? 0 != 0
    }

    /// The same for a substitute socket.
    static func haveWay(_ original: OriginalSocket) -> Bool {
        original.value(of: device) ?? 0 != 0 || original.value(of: mark) ?? 0 != 0
    }

    /// SO_BINDTODEVICE by the device's number. (Only a privileged process can unbind a socket from its device.)
    static var device: SocketOption { SocketOption(SOL_SOCKET, SO_BINDTOIFINDEX) }
    static var mark: SocketOption { SocketOption(SOL_SOCKET, SO_MARK) }

    /// The option as a number.
    static func remembered(_ option: SocketOption) -> SocketOption {
        option == SocketOption(SOL_SOCKET, SO_BINDTODEVICE) ? device : option
    }

    /// Whether the option sets the route of packets. The program means the route to its destination: the proxy is
    /// reached as from any other socket.
    static func isOfWay(_ option: SocketOption) -> Bool { option == device || option == mark }

    /// Whether a socket of this domain lacks the options of this level.
    static func isLevel(_ level: Int32, lackedBy domain: Int32) -> Bool {
        switch level {
        case Int32(IPPROTO_TCP), Int32(IPPROTO_IP): domain == AF_UNIX
        case Int32(IPPROTO_IPV6): domain != AF_INET6
        default: false
        }
    }

    /// The option of the other IP version with the same effect on the packets of a socket of `domain`; nil if the
    /// option has it itself.
    private static func counterpart(of option: SocketOption, on domain: Int32) -> SocketOption? {
        let (ip, ipv6) = (Int32(IPPROTO_IP), Int32(IPPROTO_IPV6))
        switch (domain, option) {
        case (AF_INET6, SocketOption(ip, IP_TOS)): return SocketOption(ipv6, IPV6_TCLASS)
        case (AF_INET6, SocketOption(ip, IP_TTL)): return SocketOption(ipv6, IPV6_UNICAST_HOPS)
        case (AF_INET, SocketOption(ipv6, IPV6_TCLASS)): return SocketOption(ip, IP_TOS)
        case (AF_INET, SocketOption(ipv6, IPV6_UNICAST_HOPS)): return SocketOption(ip, IP_TTL)
        default: return nil
        }
    }

    /// Gives `new` the program's options of `old`; `original` remembers those that `new` lacks.
    @inline(never)
    static func carry(
        from old: Socket, to new: Socket, for end: SubstituteSocket.End, original: inout OriginalSocket
    ) throws(Errno) {
        let (oldDomain, newDomain) = (old.domain, new.domain)
        let made = Socket.make(oldDomain)
        guard made >= 0 else { throw Errno(result: Int(made)) }
        let untouched = Socket(descriptor: made)
        defer { _ = kernel_close(made) }
        let isForeign = newDomain != original.name.domain
        let list = makeList()
        for index in list.indices {
            let option = list[index]
            if isOfWay(option) {
                carryWay(option, from: old, to: new, for: end, original: &original)
                continue
            }
            if isLevel(option.level, lackedBy: oldDomain) {
                guard let number = original.value(of: option) else { continue }
                if !isLevel(option.level, lackedBy: newDomain) { Value(number: number).set(option, of: new) }
                continue
            }
            if isKernels(option, of: old) { continue }
            guard let value = Value(option, of: old), value != Value(option, of: untouched) else { continue }
            if isLevel(option.level, lackedBy: newDomain) {
                if let number = value.number { original.remember(number, of: option) }
            } else {
                value.set(option, of: new)
            }
            if isForeign, let other = counterpart(of: option, on: newDomain) { value.set(other, of: new) }
        }
    }

    private static func carryWay(
        _ option: SocketOption, from old: Socket, to new: Socket, for end: SubstituteSocket.End,
        original: inout OriginalSocket
    ) {
        let own = original.value(of: option) ?? old.number(of: option) ?? 0
        switch end {
        case .proxy where own != 0: original.remember(own, of: option)
        case .destination where own != 0: new.set(own, of: option)
        case .proxy, .destination: break
        }
    }

    /// Whether it is the size of a buffer that the program has left to the kernel, which changes it when it connects
    /// (Linux 5.14 and newer show that).
    private static func isKernels(_ option: SocketOption, of socket: Socket) -> Bool {
        guard option.level == SOL_SOCKET, option.name == SO_SNDBUF || option.name == SO_RCVBUF else { return false }
        return kernel_chooses_buffer(socket.descriptor, option.name) != 0
    }

    /// The program sets an option of another IP version than that of the socket's packets.
    static func mirror(_ option: SocketOption, of socket: Socket, domain: Int32) {
        guard let other = counterpart(of: option, on: domain), let value = Value(option, of: socket) else { return }
        value.set(other, of: socket)
    }

    /// Whether a value of this option is copied from one socket to another, and is a number.
    static func isRemembered(_ option: SocketOption) -> Bool {
        let list = makeList()
        for index in list.indices where list[index] == option { return option.name != TCP_CONGESTION }
        return false
    }

    /// A value of an option: a number, a name, a time.
    private struct Value: Equatable {
        private var words: (UInt64, UInt64) = (0, 0)
        private var length: socklen_t = 16

        init(number: Int32) {
            words.0 = UInt64(UInt32(bitPattern: number))
            length = 4
        }

        /// nil if the socket lacks the option.
        init?(_ option: SocketOption, of socket: Socket) {
            var length = self.length
            let result = withUnsafeMutableBytes(of: &words) { bytes in
                kernel_ask_option(socket.descriptor, option.level, option.name, bytes.baseAddress, &length)
            }
            guard result == 0 else { return nil }
            self.length = min(length, 16)
        }

        var number: Int32? { length == 4 ? Int32(truncatingIfNeeded: words.0) : nil }

        /// If the kernel does not accept it, the socket goes without.
        func set(_ option: SocketOption, of socket: Socket) {
            var value = self
            // The kernel doubles the value (socket(7)).
            if option.level == SOL_SOCKET, option.name == SO_RCVBUF || option.name == SO_SNDBUF, let number {
                value = Value(number: number / 2)
            }
            _ = withUnsafeBytes(of: &value.words) { bytes in
                kernel_give_option(socket.descriptor, option.level, option.name, bytes.baseAddress, value.length)
            }
        }

        static func == (one: Value, other: Value) -> Bool {
            one.words == other.words && one.length == other.length
        }
    }
}

extension SocketOptions {
    /// The kernel's answer for `socket`, with another number. Writes only where the kernel could write.
    static func answer(
        _ option: SocketOption, asIf number: Int32?, _ socket: Socket, _ value: UnsafeMutableRawPointer?,
        _ length: UnsafeMutablePointer<socklen_t>?
    ) -> HookResult {
        let result = kernel_ask_option(socket.descriptor, option.level, option.name, value, length)
        guard result == 0 else { return .failed(Errno(result: result)) }
        if let number, let value, let length {
            var number = number
            withUnsafeBytes(of: &number) { bytes in
                let room = min(Int(length.pointee), bytes.count)
                UnsafeMutableRawBufferPointer(start: value, count: room).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[..<room]))
            }
        }
        return .succeeded
    }
}
