import SharedTables
import Testing

@Suite struct EventMarkerTests {
    private static let randoms: [UInt64] = [
        0, 1, .max, 0x0123_4567_89ab_cdef, 0x4000_0000_0000_0000, 0x6fff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff,
        0x8000_0000_0000_0000, 0xffff_8000_0000_0000, 0x0000_7fff_ffff_ffff,
    ]

    @Test(arguments: randoms) func `data name their slot`(random: UInt64) {
        let marker = EventMarker(random: random)
        for slot in [0, 1, 255, 256, 32_767, 32_768, 65_534, 65_535] {
            #expect(marker.slot(of: marker.data(for: slot)) == slot)
        }
    }

    @Test(
        arguments: [
            (0, 0x9000_0000_0000_0005), (0x0123_4567_89ab_cdef, 0x9123_4567_89ab_0005),
            (.max, 0xbfff_ffff_ffff_0005),
        ] as [(UInt64, UInt64)])
    func `the tag is random, but for its uppermost bits`(random: UInt64, data: UInt64) {
        #expect(EventMarker(random: random).data(for: 5) == data)
    }

    @Test(arguments: randoms) func `data are neither a pointer nor a small number`(random: UInt64) {
        let marker = EventMarker(random: random)
        for slot in [0, 1, 32_768, 65_535] {
            let data = marker.data(for: slot)
            // Pointers of four levels of page tables, and of five: user's and kernel's. Small numbers are among them,
            // negative ones too.
            #expect(data >> 48 != 0)
            #expect(data >> 48 != 0xffff)
            #expect(data >> 56 != 0)
            #expect(data >> 56 != 0xff)
            // User's pointers that were shifted by 16 bits.
            #expect(data >> 63 == 1)
        }
    }

    @Test(arguments: randoms) func `data of the program are the program's`(random: UInt64) {
        let marker = EventMarker(random: random)
        let others: [UInt64] = [
            0, 1, 5, 65_535, 65_536, 0xffff_ffff, .max, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000,
            // Pointers, one of them shifted to have a tag (as Go does it); a descriptor and a counter.
            0x0000_5632_0a1b_4c90, 0x0000_7ffd_ffff_fff8, 0xffff_8880_0000_1000, 0x0000_0001_0000_0008,
            0xffff_ffff_0000_0008, 0x7f5a_0001_2340_0007,
            // One bit of the tag is another.
            marker.data(for: 5) ^ 0x1_0000, marker.data(for: 5) ^ 0x8000_0000_0000_0000,
            marker.data(for: 5) ^ 0x0000_0100_0000_0000,
        ]
        for data in others { #expect(marker.slot(of: data) == nil, "\(String(data, radix: 16))") }
    }

    @Test func `data of another marker are the program's`() {
        let data = EventMarker(random: 0x0123_4567_89ab_cdef).data(for: 5)
        #expect(EventMarker(random: 0x0123_4567_89aa_cdef).slot(of: data) == nil)
        #expect(EventMarker(random: 0).slot(of: data) == nil)
        // The same process makes the marker again: it has the same tag.
        #expect(EventMarker(random: 0x0123_4567_89ab_0000).slot(of: data) == 5)
    }
}
