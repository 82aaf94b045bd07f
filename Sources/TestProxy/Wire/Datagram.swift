import NIOCore

/// A datagram between the client and the relay (RFC 1928, section 7).
///
///     00 00 FRAG ATYP DST.ADDR… DST.PORT DATA…
struct Datagram: Equatable {
    /// FRAG; 0: the whole datagram.
    var fragment: UInt8 = 0
    /// Where the client's datagram goes, or the target's comes from.
    var endpoint: Endpoint
    /// DATA.
    var payload: ByteBuffer

    /// The length of the longest header, the one with a name of 255 bytes.
    private static let longestHeader = 4 + 1 + 255 + 2

    init(fragment: UInt8 = 0, endpoint: Endpoint, payload: ByteBuffer) {
        self.fragment = fragment
        self.endpoint = endpoint
        self.payload = payload
    }

    /// Reads a datagram, the payload of which shares the memory of `bytes`; nil if it is malformed or cut off.
    init?(_ bytes: ByteBuffer) {
        var reader = Reader(Array(bytes.readableBytesView.prefix(Self.longestHeader)))
        guard reader.bytes(2) == [0, 0], let fragment = reader.byte(),
            case .message(let endpoint) = Endpoint.read(from: &reader)
        else { return nil }
        var payload = bytes
        payload.moveReaderIndex(forwardBy: reader.offset)
        self.init(fragment: fragment, endpoint: endpoint, payload: payload)
    }

    var encoded: ByteBuffer {
        let header = [0, 0, fragment] + endpoint.encoded
        var bytes = ByteBufferAllocator().buffer(capacity: header.count + payload.readableBytes)
        bytes.writeBytes(header)
        bytes.writeImmutableBuffer(payload)
        return bytes
    }

    /// The datagram in fragments with FRAG from 1, the last marked by the high bit; of as equal length as can be.
    func fragments(_ count: Int) -> [Datagram] {
        (0..<count).map { index in
            let (start, end) = (
                payload.readableBytes * index / count, payload.readableBytes * (index + 1) / count
            )
            var fragment = self
            fragment.fragment = UInt8(index + 1) | (index == count - 1 ? 0x80 : 0)
            fragment.payload.moveReaderIndex(forwardBy: start)
            fragment.payload.moveWriterIndex(to: fragment.payload.readerIndex + end - start)
            return fragment
        }
    }
}
