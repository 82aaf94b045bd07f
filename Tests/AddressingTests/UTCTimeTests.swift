import Addressing
import Glibc
import Testing

@Suite struct UTCTimeTests {
    private func text(_ seconds: Int64) -> String {
        var bytes: [UInt8] = []
        UTCTime(seconds: seconds).write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        (0, "1970-01-01 00:00:00"), (951_782_399, "2000-02-28 23:59:59"), (951_782_400, "2000-02-29 00:00:00"),
        (951_868_800, "2000-03-01 00:00:00"), (1_709_164_800, "2024-02-29 00:00:00"),
        (4_107_542_400, "2100-03-01 00:00:00"), (253_402_300_799, "9999-12-31 23:59:59"),
    ])
    func `A time is written`(seconds: Int64, expected: String) {
        #expect(text(seconds) == expected)
    }

    @Test func `A time that has no year of four digits is the nearest one`() {
        #expect(text(-1) == text(0) && text(.min) == text(0))
        #expect(text(253_402_300_800) == text(253_402_300_799) && text(.max) == text(253_402_300_799))
    }

    @Test func `Every day is the calendar's`() {
        for day in 0..<Int64(150_000) {
            var (seconds, parts) = (time_t(day * 86_400 + day % 86_400), tm())
            gmtime_r(&seconds, &parts)
            var expected = [CChar](repeating: 0, count: 40)
            strftime(&expected, expected.count, "%Y-%m-%d %H:%M:%S", &parts)
            #expect(text(Int64(seconds)) == String(cString: expected))
        }
    }
}
