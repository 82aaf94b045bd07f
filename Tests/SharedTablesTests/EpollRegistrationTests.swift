import SharedTables
import Testing

@Suite struct EpollRegistrationTests {
    @Test(arguments: [
        (
            "tfd:        8 events: 80000005 data:         56320a1b  pos:0 ino:1cb07 sdev:8",
            EpollRegistration(target: 8, events: 0x8000_0005, data: 0x5632_0a1b)
        ),
        (
            "tfd:        5 events:       19 data:                5  pos:0 ino:2c8e1 sdev:8",
            EpollRegistration(target: 5, events: 0x19, data: 5)
        ),
        (
            "tfd:        4 events: 80000005 data:     7f5a00000004  pos:0 ino:11ee sdev:9",
            EpollRegistration(target: 4, events: 0x8000_0005, data: 0x7f5a_0000_0004)
        ),
        // A used EPOLLONESHOT registration.
        (
            "tfd:       12 events: 40000000 data:     5581f0e3c2a0  pos:0 ino:2c8e1 sdev:8",
            EpollRegistration(target: 12, events: 0x4000_0000, data: 0x5581_f0e3_c2a0)
        ),
        (
            "tfd:        5 events:       19 data: ffffffffffffffff  pos:0 ino:2c8e1 sdev:8",
            EpollRegistration(target: 5, events: 0x19, data: .max)
        ),
        (
            "tfd:        0 events:        0 data:                0  pos:-1 ino:0 sdev:0",
            EpollRegistration(target: 0, events: 0, data: 0)
        ),
        // The widest values.
        (
            "tfd: 2147483647 events: ffffffff data: fedcba9876543210  pos:9223372036854775807 ino:ffffffff sdev:fffff",
            EpollRegistration(target: .max, events: .max, data: 0xfedc_ba98_7654_3210)
        ),
        // The format of an older kernel.
        (
            "tfd:        5 events:       19 data:                a",
            EpollRegistration(target: 5, events: 0x19, data: 10)
        ),
    ])
    func `a line has what the program asked for`(line: String, registration: EpollRegistration) {
        #expect(read(line) == registration)
    }

    @Test(arguments: [
        "pos:\t0", "flags:\t02000002", "mnt_id:\t16", "ino:\t2060", "", " ", "\n", "lock:\t1: FLOCK  ADVISORY  WRITE",
        // Files other than epolls.
        "eventfd-count:               5", "eventfd-id: 12", "clockid: 0", "it_value: (0, 49406829)",
        "sigmask:\t0000000000000200",
        "inotify wd:2 ino:7ef82a sdev:800001 mask:800afff ignored_mask:0 fhandle-bytes:8 fhandle-type:1",
    ])
    func `other lines are none of a registration`(line: String) {
        #expect(read(line) == nil)
    }

    @Test func `a line that ends before its last number is none`() {
        let line = "tfd:        8 events: 80000005 data:                5"
        for length in 0..<line.utf8.count { #expect(read(String(line.prefix(length))) == nil) }
        #expect(read(line) == EpollRegistration(target: 8, events: 0x8000_0005, data: 5))
    }

    @Test func `a line that begins too late is none`() {
        let line = "tfd:        8 events: 80000005 data:                5  pos:0 ino:2c8e1 sdev:8"
        for length in 1..<line.utf8.count { #expect(read(String(line.dropFirst(length))) == nil) }
    }

    @Test(arguments: [
        // No number
        "tfd: events: 19 data: 5", "tfd: 5 events: data: 5", "tfd: 5 events: 19 data:", "tfd: 5 events: 19 data: ",
        "tfd:x events: 19 data: 5", "tfd: 5 events: x data: 5", "tfd: 5 events: 19 data: xyz", "tfd:events:data:",
        "tfd: 5x events: 19 data: 5", "tfd: 5 events: 19, data: 5", "tfd: 5 events: 19 data: 0x5",
        "tfd:\t5 events:\t19 data:\t5", "tfd: a events: 19 data: 5",
        // Too large
        "tfd: 2147483648 events: 19 data: 5", "tfd: 4294967301 events: 19 data: 5",
        "tfd: 18446744073709551616 events: 19 data: 5", "tfd: 18446744073709551621 events: 19 data: 5",
        "tfd: 99999999999999999999999999999999999999 events: 19 data: 5", "tfd: 5 events: 100000000 data: 5",
        "tfd: 5 events: 10000000000000019 data: 5", "tfd: 5 events: 19 data: 10000000000000000",
        "tfd: 5 events: 19 data: ffffffffffffffffffffffff",
        // Negative
        "tfd:       -1 events: 19 data: 5", "tfd: 5 events: -19 data: 5", "tfd: 5 events: 19 data: -5",
        // No key
        "5 events: 19 data: 5", "tfd 5 events: 19 data: 5", "tfd: 5 event: 19 data: 5", "tfd: 5 events: 19 dat: 5",
        "tfd: 5 events: 19", "tfd: 5", "tfd:", "tfd", "::::", "TFD: 5 EVENTS: 19 DATA: 5",
    ])
    func `a line with a number that is none is none`(line: String) {
        #expect(read(line) == nil)
    }

    @Test func `a line may be of any bytes`() {
        for byte in 0...255 as ClosedRange<UInt8> {
            #expect(EpollRegistration(fdinfo: Array(repeating: byte, count: 100).span) == nil)
        }
        let line = Array("tfd:        8 events: 80000005 data:                5".utf8)
        for index in line.indices {
            var other = line
            other[index] = 0xff
            #expect(EpollRegistration(fdinfo: other.span) != EpollRegistration(target: 8, events: 0x8000_0005, data: 5))
        }
    }

    private func read(_ line: String) -> EpollRegistration? {
        EpollRegistration(fdinfo: Array(line.utf8).span)
    }
}
