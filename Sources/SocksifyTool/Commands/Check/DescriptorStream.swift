import Glibc
import ProxyConfig
import Tunnel

/// The bytes of a non-blocking socket.
struct DescriptorStream: ByteStream {
    let descriptor: Int32

    /// Security contexts belong to a layer above.
    func secure(_ index: Int, _ proxies: Span<Proxy>) throws(StepFailure) -> Securing { throw .proxy(.outOfStep) }

    func send(_ bytes: UnsafeRawBufferPointer) throws(StepFailure) -> Int? {
        try count { Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) }
    }

    /// In one segment: the server may wait for the second part before it acknowledges the first.
    func send(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) throws(StepFailure) -> Int? {
        try count {
            var parts = [first, second].map {
                iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
            }
            return parts.withUnsafeMutableBufferPointer { parts in
                var message = msghdr()
                message.msg_iov = parts.baseAddress
                message.msg_iovlen = parts.count
                return sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            }
        }
    }

    func receive(into room: UnsafeMutableRawBufferPointer) throws(StepFailure) -> Int? {
        try count { ended(recv(descriptor, room.baseAddress, room.count, 0)) }
    }

    func peek(into room: UnsafeMutableRawBufferPointer) throws(StepFailure) -> Int? {
        try count { ended(recv(descriptor, room.baseAddress, room.count, Int32(MSG_PEEK))) }
    }

    /// Who resets has said no more than who closes.
    private func ended(_ count: Int) -> Int { count < 0 && errno == ECONNRESET ? 0 : count }

    /// The bytes that a call sent or received; nil when it would have to wait.
    private func count(_ call: () -> Int) throws(StepFailure) -> Int? {
        while true {
            let count = call()
            if count >= 0 { return count }
            if errno == EAGAIN { return nil }
            guard errno == EINTR else { throw StepFailure(reason: "closed the connection: \(describe(errno))") }
        }
    }
}
