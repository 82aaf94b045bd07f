import Addressing
import CPreload
import SharedTables

/// What the program sees of a substitute socket: what it would see of its own.
///
/// A Unix-domain substitute differs in some things: the connection has no own address but the one that the program has
/// bound, there is no TCP_INFO, and a proxy that closes causes EPIPE and ECONNRESET at other moments than TCP would.
public enum ApparentSocket {
    /// The socket's own address, of its peer's family and IP version; nil if the kernel has the right one.
    public static func name(of descriptor: Int32) -> SocketAddress? {
        guard let runtime = Runtime.existing else { return nil }
        let socket = Socket(descriptor: descriptor)
        let original = runtime.pointee.connections.pointee.original(of: socket)
        if let original, socket.domain == AF_UNIX { return original.name }
        guard let name = try? socket.name else { return original?.name }
        let program = original?.name ?? .unspecified(name.domain)
        let peer = peer(of: socket, runtime)
        if let form = name.inFamily(of: program), peer == nil || form.isIPv4 == peer?.isIPv4 { return form }
        // The program can use none of this machine's addresses: it sees the one that it has bound, or the unspecified
        // one.
        var own = SocketAddress(address: program.address, port: name.port)
        if let peer, own.address.isUnspecified, own.isIPv4 != peer.isIPv4 {
            own = .unspecified(peer.isIPv4 ? AF_INET : AF_INET6)
            own.port = name.port
        }
        return own.inFamily(of: program) ?? own
    }

    /// The peer that the program connects to, or has connected to.
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
        // There is no TCP connection to describe.
        if level == Int32(IPPROTO_TCP), name == TCP_INFO || name == TCP_CC_INFO { return .failed(Errno(ENOPROTOOPT)) }
        let made = Socket.make(original.name.domain)
        guard made >= 0 else { return .failed(Errno(ENOPROTOOPT)) }
        defer { _ = kernel_close(made) }
        return SocketOptions.answer(option, asIf: original.value(of: option), Socket(descriptor: made), value, length)
    }

    /// setsockopt(2). Of an option that a substitute lacks a socket of the program's kind is asked, and the value
    /// remembered.
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
