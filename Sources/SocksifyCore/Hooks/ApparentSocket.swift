import Addressing
import CPreload
import SocketTable

/// What the program is told of a socket that stands in the place of its own: what it would be told of that one.
///
/// Where a socket of a Unix domain stands there, some things stay different: the connection has no own address but the
/// one that the program has bound, there is no TCP_INFO, and a proxy that ends gives EPIPE and ECONNRESET at other moments
/// than TCP would.
public enum ApparentSocket {
    /// The socket's own address, which is of the family and of the version of IP of its peer's; nil when the kernel knows
    /// it.
    public static func name(of descriptor: Int32) -> SocketAddress? {
        guard let runtime = Runtime.existing else { return nil }
        let socket = Socket(descriptor: descriptor)
        let known = runtime.pointee.known(of: socket)
        if let known, socket.domain == AF_UNIX { return known.name }
        guard let name = try? socket.name else { return known?.name }
        let program = known?.name ?? .unspecified(name.domain)
        let peer = peer(of: socket, runtime)
        if let form = name.inFamily(of: program), peer == nil || form.isIPv4 == peer?.isIPv4 { return form }
        // Of this machine's addresses there is none that the program could use: it is told what it has bound, or none.
        var own = SocketAddress(address: program.address, port: name.port)
        if let peer, own.address.isUnspecified, own.isIPv4 != peer.isIPv4 {
            own = .unspecified(peer.isIPv4 ? AF_INET : AF_INET6)
            own.port = name.port
        }
        return own.inFamily(of: program) ?? own
    }

    /// What the program connects to, or has connected to.
    private static func peer(of socket: Socket, _ runtime: UnsafePointer<Runtime>) -> SocketAddress? {
        if let cookie = socket.cookie, let peer = runtime.pointee.sockets.peer(cookie: cookie) { return peer }
        guard may_be_in_flight(socket.descriptor) != 0,
            case .entered(let flight) = HandshakeInFlight.of(socket.descriptor, runtime)
        else { return nil }
        defer { flight.leave() }
        return flight.standing == .underWay ? flight.record.pointee.handshake.peer : nil
    }

    /// getsockopt(2)
    public static func getOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeMutableRawPointer?,
        _ length: UnsafeMutablePointer<socklen_t>?
    ) -> Outcome {
        guard let runtime = Runtime.existing else { return .pass }
        let socket = Socket(descriptor: descriptor)
        let option = SocketOption(level, name)
        guard let known = runtime.pointee.known(of: socket) else {
            let domain = socket.domain
            return Datagram.withWay(of: socket, by: option, runtime) { $0.get(option, domain, value, length) }
        }
        let domain = socket.domain
        if level == SOL_SOCKET {
            let answer: Int32
            switch name {
            case SO_DOMAIN: answer = known.name.domain
            case SO_PROTOCOL where domain == AF_UNIX: answer = Int32(IPPROTO_TCP)
            default: return WayOptions(known).get(option, known.name.domain, value, length)
            }
            return answerOption(option, asIf: answer, socket, value, length)
        }
        guard SocketOptions.isLevel(level, lackedBy: domain) else { return .pass }
        // There is no connection of TCP of which anything could be told.
        if level == Int32(IPPROTO_TCP), name == TCP_INFO || name == TCP_CC_INFO { return .failed(Errno(ENOPROTOOPT)) }
        let made = Socket.make(known.name.domain)
        guard made >= 0 else { return .failed(Errno(ENOPROTOOPT)) }
        defer { _ = kernel_close(made) }
        return answerOption(option, asIf: known.value(of: option), Socket(descriptor: made), value, length)
    }

    /// What the kernel says of `socket`, with another number in its place. What it could write to can be written to.
    static func answerOption(
        _ option: SocketOption, asIf number: Int32?, _ socket: Socket, _ value: UnsafeMutableRawPointer?,
        _ length: UnsafeMutablePointer<socklen_t>?
    ) -> Outcome {
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

    /// setsockopt(2). What there is no place for is judged by the kernel on a socket of the program's kind, and remembered.
    public static func setOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> Outcome {
        guard let runtime = Runtime.existing else { return .pass }
        let socket = Socket(descriptor: descriptor)
        let option = SocketOption(level, name)
        let domain = socket.domain
        guard let cookie = socket.cookie else { return .pass }
        let known = runtime.pointee.known(of: socket)
        let isOfWay = SocketOptions.isOfWay(SocketOptions.remembered(option))
        if isOfWay, known != nil || runtime.pointee.sockets.peer(cookie: cookie) != nil {
            return setWay(option, of: socket, value, length, runtime)
        }
        guard let known else {
            return Datagram.withWay(of: socket, by: option, runtime) { $0.set(option, domain, value, length) }
        }
        guard SocketOptions.isLevel(level, lackedBy: domain) else {
            let result = kernel_give_option(descriptor, level, name, value, length)
            guard result == 0 else { return .failed(Errno(result: result)) }
            SocketOptions.mirror(option, of: socket, domain: domain)
            return .succeeded
        }
        let made = Socket.make(known.name.domain)
        guard made >= 0 else { return .failed(Errno(ENOPROTOOPT)) }
        defer { _ = kernel_close(made) }
        let result = kernel_give_option(made, level, name, value, length)
        guard result == 0 else { return .failed(Errno(result: result)) }
        if SocketOptions.isRemembered(option), let number = Socket(descriptor: made).number(of: option) {
            var changed = known
            changed.remember(number, of: option)
            _ = runtime.pointee.replaced.insert(changed, cookie: cookie)
        }
        return .succeeded
    }

    /// setsockopt(2) with an option of the way of a stream that goes to a proxy: what the program means is the way to its
    /// destination.
    @inline(never)
    static func setWay(
        _ option: SocketOption, of socket: Socket, _ value: UnsafeRawPointer?, _ length: socklen_t,
        _ runtime: UnsafePointer<Runtime>
    ) -> Outcome {
        guard let cookie = socket.cookie else { return .pass }
        var known = runtime.pointee.known(of: socket) ?? ReplacedSocket(name: .unspecified(socket.domain))
        var way = WayOptions(known)
        let outcome = way.set(option, known.name.domain, value, length)
        guard case .succeeded = outcome else { return outcome }
        let remembered = SocketOptions.remembered(option)
        known.remember(way.value(of: remembered), of: remembered)
        guard runtime.pointee.replaced.insert(known, cookie: cookie) else { return .failed(.outOfBuffers) }
        Replacement.forEachDescriptor(of: socket, cookie: cookie) { descriptor in
            descriptor_set_mark(descriptor, UInt32(DESCRIPTOR_REPLACED))
        }
        return .succeeded
    }
}

extension Runtime {
    /// What the program takes the socket for; nil when the socket is its own.
    @inline(never)
    func known(of socket: Socket) -> ReplacedSocket? {
        guard may_be_replaced(socket.descriptor) != 0 else { return nil }
        let seen = descriptor_mark(socket.descriptor)
        // What is no socket has none.
        var cookie = socket.cookie ?? 0
        for _ in 0..<Runtime.longestWriting {
            if let known = replaced.socket(cookie: cookie) { return known }
            if replaced.isBeingWritten(cookie: cookie) {
                _ = interruptible_sleep(100_000)
                continue
            }
            // Another socket may have taken the place of the one that was asked, whose record may be gone.
            let current = socket.cookie ?? 0
            guard current != cookie else {
                descriptor_clear_wrong_marks(socket.descriptor, UInt32(DESCRIPTOR_REPLACED), seen)
                return nil
            }
            cookie = current
        }
        return nil
    }

    /// How often a record is asked for again that is being written: a few stores, unless the writer has to wait for its
    /// processor.
    private static var longestWriting: Int { 100 }
}

extension SocketAddress {
    /// AF_INET or AF_INET6.
    var domain: Int32 {
        switch address {
        case .v4: AF_INET
        case .v6: AF_INET6
        }
    }
}
