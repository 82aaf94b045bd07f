import SOCKS5
import Testing

@Suite struct FragmentationTests {
    @Test func `data that fit into one datagram go out as they are`() {
        #expect(fragments(of: 1000, limit: 1000) == [Piece(0, 0..<1000)])
        #expect(fragments(of: 1, limit: 1000) == [Piece(0, 0..<1)])
    }

    @Test func `no data make one datagram, too`() {
        #expect(fragments(of: 0, limit: 1) == [Piece(0, 0..<0)])
    }

    @Test func `longer data go out in order, and the last fragment says that it is`() {
        #expect(fragments(of: 1001, limit: 1000) == [Piece(1, 0..<1000), Piece(0x82, 1000..<1001)])
        #expect(
            fragments(of: 600, limit: 200) == [Piece(1, 0..<200), Piece(2, 200..<400), Piece(0x83, 400..<600)])
    }

    @Test func `127 fragments are the most`() {
        #expect(fragments(of: 127, limit: 1)?.last == Piece(0xff, 126..<127))
        #expect(fragments(of: 128, limit: 1) == nil)
        #expect(fragments(of: 32_512, limit: 256)?.count == 127)
        #expect(fragments(of: 32_513, limit: 256) == nil)
    }

    @Test func `lengths that no datagram has make no fragments`() {
        #expect(fragments(of: 65_507, limit: 65_000) == [Piece(1, 0..<65_000), Piece(0x82, 65_000..<65_507)])
        #expect(fragments(of: 65_508, limit: 65_000) == nil)
        #expect(fragments(of: -1, limit: 1000) == nil)
        #expect(fragments(of: 10, limit: 0) == nil)
        #expect(fragments(of: 10, limit: -1) == nil)
        #expect(fragments(of: .max, limit: .max) == nil)
    }

    private struct Piece: Equatable {
        var number: UInt8
        var range: Range<Int>

        init(_ number: UInt8, _ range: Range<Int>) {
            self.number = number
            self.range = range
        }
    }

    private func fragments(of length: Int, limit: Int) -> [Piece]? {
        Fragmentation(of: length, limit: limit)?.map { Piece($0.number, $0.range) }
    }
}
