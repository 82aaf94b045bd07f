import Addressing
import Testing

@Suite struct FixedBytesTests {
    @Test func `bytes are kept in their order, and dropped behind the last that has room`() {
        var bytes = FixedBytes<3>()
        #expect(bytes.count == 0)
        bytes.append("ab")
        #expect(Array(bytes.bytes) == [0x61, 0x62] && bytes.count == 2)
        bytes.append("cd")
        #expect(Array(bytes.bytes) == [0x61, 0x62, 0x63] && bytes.count == 3)
    }

    @Test func `bytes in place are written there, and nothing behind`() {
        var memory: [UInt8] = [9, 9, 9, 9]
        memory.withUnsafeMutableBytes { room in
            var bytes = BytesInPlace(UnsafeMutableRawBufferPointer(rebasing: room[..<2]))
            bytes.append("abc")
            #expect(Array(bytes.bytes) == [0x61, 0x62] && bytes.count == 2)
        }
        #expect(memory == [0x61, 0x62, 9, 9])
    }
}

extension Array where Element == UInt8 {
    fileprivate init(_ span: Span<UInt8>) {
        self = span.indices.map { span[$0] }
    }
}
