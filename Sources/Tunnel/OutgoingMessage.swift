import Addressing

/// A message to a proxy, written into the outgoing buffer.
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
