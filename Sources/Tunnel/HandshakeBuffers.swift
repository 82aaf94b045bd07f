import HTTPConnect
import SOCKS4
import SOCKS5

/// The buffers of a handshake. They lie next to its record: messages are long, and a handshake may run on the small
/// stack of a thread or of a signal handler.
public struct HandshakeBuffers {
    private let memory: UnsafeMutableRawPointer

    /// The longest message in bytes.
    public static var longestMessage: Int {
        max(
            SOCKS5.ClientHandshake.messageCapacity, SOCKS4.ClientHandshake.messageCapacity,
            HTTPConnect.ClientHandshake.messageCapacity)
    }
    /// The most bytes received at a time. SOCKS5 needs at most 257; an HTTP head is read in parts.
    public static var longestAnswer: Int { 512 }
    public static var size: Int { longestMessage + longestAnswer }

    /// - Parameter memory: `size` bytes.
    public init(memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    public var outgoing: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory, count: HandshakeBuffers.longestMessage)
    }

    public var incoming: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: memory + HandshakeBuffers.longestMessage, count: HandshakeBuffers.longestAnswer)
    }

    /// The first received bytes, limited to the buffer.
    func received(_ count: Int) -> UnsafeBufferPointer<UInt8> {
        let bytes = incoming.bindMemory(to: UInt8.self)
        return UnsafeBufferPointer(rebasing: bytes[..<min(max(count, 0), bytes.count)])
    }
}
