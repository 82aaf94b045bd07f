import CPreload
import ProxyConfig
import StreamSecurity
import Tunnel

/// The socket of a handshake as the stream to the proxies, with the security layers that the handshake has established.
/// It never waits.
struct SocketStream: ByteStream {
    let socket: Socket
    let security: ConnectionSecurity

    func secure(_ index: Int, _ proxies: Span<Proxy>) throws(HandshakeError) -> Securing {
        try translated { () throws(StreamFailure) in try security.secure(index, proxies, over: kernel) }
    }

    func send(_ bytes: UnsafeRawBufferPointer) throws(HandshakeError) -> Int? {
        try translated { () throws(StreamFailure) in
            guard let secured else { return try kernel.send(bytes) }
            return try secured.send(bytes)
        }
    }

    func receive(into room: UnsafeMutableRawBufferPointer) throws(HandshakeError) -> Int? {
        try translated { () throws(StreamFailure) in
            guard let secured else { return try kernel.receive(into: room) }
            // A question may not have been sent to its end.
            guard try secured.flush() else { return nil }
            return try secured.receive(into: room)
        }
    }

    func peek(into room: UnsafeMutableRawBufferPointer) throws(HandshakeError) -> Int? {
        try translated { () throws(StreamFailure) in
            guard let secured else { return try kernel.peek(into: room) }
            guard try secured.flush() else { return nil }
            return try secured.peek(into: room)
        }
    }

    private var kernel: KernelStream { KernelStream(socket: socket) }

    /// The stream above the kernel's; nil where no bytes are encapsulated.
    private var secured: SecuredStream<KernelStream>? {
        guard let layers = security.layers.pointee, !layers.pointee.areEmpty else { return nil }
        return SecuredStream(over: kernel, layers)
    }

    private func translated<Result>(
        _ call: () throws(StreamFailure) -> Result
    ) throws(HandshakeError) -> Result {
        do throws(StreamFailure) {
            return try call()
        } catch {
            switch error {
            case .proxy(let error): throw .proxy(error)
            case .kernel(let errno): throw .kernel(errno)
            }
        }
    }
}
