import Tunnel

/// The socket of a handshake as the stream to the proxies. It never waits.
struct SocketStream: ByteStream {
    let socket: Socket

    func send(_ bytes: UnsafeRawBufferPointer) throws(HandshakeError) -> Int? {
        try count { () throws(Errno) in try socket.send(bytes) }
    }

    func receive(into room: UnsafeMutableRawBufferPointer) throws(HandshakeError) -> Int? {
        try count { () throws(Errno) in try socket.receive(into: room) }
    }

    func peek(into room: UnsafeMutableRawBufferPointer) throws(HandshakeError) -> Int? {
        try count { () throws(Errno) in try socket.peek(into: room) }
    }

    /// The bytes that a call sent or received; nil if it would have to wait.
    private func count(_ call: () throws(Errno) -> Int) throws(HandshakeError) -> Int? {
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
