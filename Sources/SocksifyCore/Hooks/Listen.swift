import Addressing
import CPreload
import ProxyConfig

/// Sockets that are to listen for connections from outside.
public enum Listen {
    /// listen(2). A socket that only this machine can reach may always listen, as with torsocks.
    public static func listen(_ descriptor: Int32) -> HookResult {
        // The kernel refuses it as well on a socket that connects, or has failed to.
        if descriptor_may_be_pending(descriptor) != 0, let runtime = Runtime.existing,
            case .entered(let pending) = PendingHandle.of(descriptor, runtime.pointee.connections)
        {
            pending.leave()
            return .failed(Errno(EINVAL))
        }
        // If all sockets may listen, the kernel is not asked which this is.
        if let runtime = Runtime.existing, !runtime.pointee.configuration.refusesListeners { return .pass }
        let socket = Socket(descriptor: descriptor)
        guard socket.isInternet, !socket.isDatagram else { return .pass }
        let name: SocketAddress
        do throws(Errno) { name = try socket.name } catch { return .failed(error) }
        guard !name.address.isLoopback else { return .pass }
        switch Runtime.state {
        case .unusable: return .failed(.accessDenied)
        case .short(let errno): return .failed(errno)
        case .ready(let runtime):
            let route = runtime.pointee.configuration.routeListener(at: name.address, port: name.port)
            guard case .block = route else { return .pass }
            Log.write(.warning, runtime.pointee.configuration) { line in
                line.append("a socket may not listen: ")
                Endpoint(host: .address(name.address), port: name.port).write(to: &line)
            }
            return .failed(.accessDenied)
        }
    }
}
