import Foundation
import Testing

@Suite struct AllocatorTests {
    @Test func `the core allocates by what libc has where it is no library`() {
        var memory: UnsafeMutableRawPointer?
        #expect(posix_memalign(&memory, 64, 100) == 0)
        #expect(memory != nil)
        free(memory)
    }
}
