import Addressing
import CPreload
import SharedTables

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
        let original = runtime.pointee.connections.pointee.original(of: socket)
        if let original, socket.domain == AF_UNIX { return original.name }
        guard let name = try? socket.name else { return original?.name }
        let program = original?.name ?? .unspecified(name.domain)
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
        guard descriptor_may_be_pending(socket.descriptor) != 0,
            case .entered(let pending) = PendingHandle.of(socket.descriptor, runtime.pointee.connections)
        else { return nil }
        defer { pending.leave() }
        return pending.standing == .underWay ? pending.record.pointee.handshake.peer : nil
    }

    /// getsockopt(2)
    public static func getOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeMutableRawPointer?,
        _ length: UnsafeMutablePointer<socklen_t>?
    ) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        let socket = Socket(descriptor: descriptor)
        let option = SocketOption(level, name)
        guard let original = runtime.pointee.connections.pointee.original(of: socket) else {
            let domain = socket.domain
            return Datagram.withWay(of: socket, by: option, runtime.pointee.datagrams) {
                $0.get(option, domain, value, length)
            }
        }
        let domain = socket.domain
        if level == SOL_SOCKET {
            let answer: Int32
            switch name {
            case SO_DOMAIN: answer = original.name.domain
            case SO_PROTOCOL where domain == AF_UNIX: answer = Int32(IPPROTO_TCP)
            default: return WayOptions(original).get(option, original.name.domain, value, length)
            }
            return SocketOptions.answer(option, asIf: answer, socket, value, length)
        }
        guard SocketOptions.isLevel(level, lackedBy: domain) else { return .pass }
        // There is no connection of TCP of which anything could be told.
        if level == Int32(IPPROTO_TCP), name == TCP_INFO || name == TCP_CC_INFO { return .failed(Errno(ENOPROTOOPT)) }
        let made = Socket.make(original.name.domain)
        guard made >= 0 else { return .failed(Errno(ENOPROTOOPT)) }
        defer { _ = kernel_close(made) }
        return SocketOptions.answer(option, asIf: original.value(of: option), Socket(descriptor: made), value, length)
    }

    /// setsockopt(2). What there is no place for is judged by the kernel on a socket of the program's kind, and remembered.
    public static func setOption(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: UnsafeRawPointer?, _ length: socklen_t
    ) -> HookResult {
        guard let runtime = Runtime.existing else { return .pass }
        let socket = Socket(descriptor: descriptor)
        let option = SocketOption(level, name)
        let domain = socket.domain
        guard let cookie = socket.cookie else { return .pass }
        let original = runtime.pointee.connections.pointee.original(of: socket)
        let isOfWay = SocketOptions.isOfWay(SocketOptions.remembered(option))
        if isOfWay, original != nil || runtime.pointee.sockets.peer(cookie: cookie) != nil {
            return runtime.pointee.connections.pointee.setWay(option, of: socket, value, length)
        }
        guard let original else {
            return Datagram.withWay(of: socket, by: option, runtime.pointee.datagrams) {
                $0.set(option, domain, value, length)
            }
        }
        guard SocketOptions.isLevel(level, lackedBy: domain) else {
            let result = kernel_give_option(descriptor, level, name, value, length)
            guard result == 0 else { return .failed(Errno(result: result)) }
            SocketOptions.mirror(option, of: socket, domain: domain)
            return .succeeded
        }
        let made = Socket.make(original.name.domain)
        guard made >= 0 else { return .failed(Errno(ENOPROTOOPT)) }
        defer { _ = kernel_close(made) }
        let result = kernel_give_option(made, level, name, value, length)
        guard result == 0 else { return .failed(Errno(result: result)) }
        if SocketOptions.isRemembered(option), let number = Socket(descriptor: made).number(of: option) {
            var changed = original
            changed.remember(number, of: option)
            _ = runtime.pointee.originals.insert(changed, cookie: cookie)
        }
        return .succeeded
    }
}
