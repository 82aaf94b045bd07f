import Addressing
import HTTPConnect
import SOCKS4
import SOCKS5

/// Where a handshake has its bytes on their way. They lie beside its record: messages are long, and a handshake may run
/// on the small stack of a thread or of a signal handler.
struct HandshakeBuffers {
    private let memory: UnsafeMutableRawPointer

    private static var outgoingSize: Int {
        max(
            SOCKS5.ClientHandshake.messageCapacity, SOCKS4.ClientHandshake.messageCapacity,
            HTTPConnect.ClientHandshake.messageCapacity)
    }
    /// The most bytes of an answer that are received at once. SOCKS5 asks for 257 at most; a head of HTTP comes in parts.
    static var longestAnswer: Int { 512 }
    static var size: Int { outgoingSize + longestAnswer }

    /// - Parameter memory: `size` bytes.
    init(memory: UnsafeMutableRawPointer) {
        self.memory = memory
    }

    /// How many words they are written as at most (see `Handshake.write`).
    static var wordCount: Int { (outgoingSize + 7) / 8 + (longestAnswer + 7) / 8 }

    var outgoing: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory, count: HandshakeBuffers.outgoingSize)
    }

    var incoming: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(
            start: memory + HandshakeBuffers.outgoingSize, count: HandshakeBuffers.longestAnswer)
    }

    /// The first bytes of what came in; no more than there is room for.
    func received(_ count: Int) -> UnsafeBufferPointer<UInt8> {
        let bytes = incoming.bindMemory(to: UInt8.self)
        return UnsafeBufferPointer(rebasing: bytes[..<min(max(count, 0), bytes.count)])
    }
}

/// A message to a proxy, written to where it is sent from.
struct OutgoingMessage: ByteSink {
    private let room: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(in buffers: HandshakeBuffers) {
        room = buffers.outgoing
    }

    mutating func append(_ byte: UInt8) {
        guard count < room.count else { return }
        room[count] = byte
        count += 1
    }
}
