import HTTPConnect
import SOCKS4
import SOCKS5

/// Where a handshake has its bytes on their way. They lie beside its record: messages are long, and a handshake may run
/// on the small stack of a thread or of a signal handler.
public struct HandshakeBuffers {
    private let memory: UnsafeMutableRawPointer

    /// The room of a message.
    public static var longestMessage: Int {
        max(
            SOCKS5.ClientHandshake.messageCapacity, SOCKS4.ClientHandshake.messageCapacity,
            HTTPConnect.ClientHandshake.messageCapacity)
    }
    /// The most bytes of an answer that are received at once. SOCKS5 asks for 257 at most; a head of HTTP comes in parts.
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

    /// The first bytes of what came in; no more than there is room for.
    func received(_ count: Int) -> UnsafeBufferPointer<UInt8> {
        let bytes = incoming.bindMemory(to: UInt8.self)
        return UnsafeBufferPointer(rebasing: bytes[..<min(max(count, 0), bytes.count)])
    }
}
