import CKernel
import ProxyConfig
import Tunnel

/// A socket's own bytes as a stream. It never waits.
struct KernelStream: ByteStream {
    let socket: Socket

    /// Security contexts belong to a layer above.
    func secure(_ index: Int, _ proxies: Span<Proxy>) throws(StreamFailure) -> Securing { throw .proxy(.outOfStep) }

    func send(_ bytes: UnsafeRawBufferPointer) throws(StreamFailure) -> Int? {
        try count { () throws(Errno) in try socket.send(bytes) }
    }

    func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(StreamFailure) -> Int? {
        try count { () throws(Errno) in try socket.send(first, second) }
    }

    func receive(into room: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int? {
        try count { () throws(Errno) in try socket.receive(into: room) }
    }

    func peek(into room: UnsafeMutableRawBufferPointer) throws(StreamFailure) -> Int? {
        try count { () throws(Errno) in try socket.peek(into: room) }
    }

    var receivable: Int { socket.unreadCount }

    /// The bytes that a call sent or received; nil if it would have to wait.
    private func count(_ call: () throws(Errno) -> Int) throws(StreamFailure) -> Int? {
        while true {
            do throws(Errno) {
                return try call()
            } catch {
                switch error {
                case .again: return nil
                case .interrupted: continue
                default: throw .kernel(error)
                }
            }
        }
    }
}
