import Addressing
import CLibC
import SocketTable

/// getpeername(2): the address that the program connected to, not that of the proxy.
public enum PeerName {
    /// The address to answer with; nil when libc's own answer is right: the socket is not connected to the proxy, or
    /// the program connected it there itself.
    public static func peer(of descriptor: Int32) -> SocketAddress? {
        guard let runtime = Runtime.existing else { return nil }
        let socket = Socket(descriptor: descriptor)
        guard let kernelPeer = socket.peer, runtime.pointee.firstHop.matches(kernelPeer), let cookie = socket.cookie
        else { return nil }
        return runtime.pointee.sockets.peer(cookie: cookie)
    }
}
