import Testing

@testable import SocksifyCore

@Suite struct LogRateLimitTests {
    @Test func `twenty lines may be written at once, and then one a second`() {
        var word: UInt64 = 0
        for _ in 1...20 { #expect(LogRateLimit.take(from: &word, at: 5000) == 0) }
        #expect(LogRateLimit.take(from: &word, at: 5000) == nil)
        #expect(LogRateLimit.take(from: &word, at: 5999) == nil)
        #expect(LogRateLimit.take(from: &word, at: 6000) == 2)
        #expect(LogRateLimit.take(from: &word, at: 6000) == nil)
        #expect(LogRateLimit.take(from: &word, at: 7000) == 1)
    }

    @Test func `after a while of silence twenty may be written again, and no more`() {
        var word: UInt64 = 0
        for now in [1000, 1_000_000] {
            for _ in 1...20 { #expect(LogRateLimit.take(from: &word, at: now) == 0) }
            #expect(LogRateLimit.take(from: &word, at: now) == nil)
            // What was left out is told, so that the next round begins with none.
            #expect(LogRateLimit.take(from: &word, at: now + 1000) == 1)
        }
    }

    @Test func `the lines that were left out are counted as far as there is room`() {
        var word: UInt64 = 100_000 << 20 | 1_048_574
        for _ in 1...3 { #expect(LogRateLimit.take(from: &word, at: 0) == nil) }
        #expect(LogRateLimit.take(from: &word, at: 100_000) == 1_048_575)
    }
}
