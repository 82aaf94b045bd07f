/// What a program asked of an epoll about one descriptor (epoll_ctl(2)).
public struct EpollRegistration: Equatable, Sendable {
    /// The descriptor that is watched, by the number that it was registered with.
    public var target: Int32
    /// `epoll_event.events`. Without any of EPOLLIN … EPOLLHUP it is a registration with EPOLLONESHOT that has fired.
    public var events: UInt32
    /// `epoll_event.data`
    public var data: UInt64

    public init(target: Int32, events: UInt32, data: UInt64) {
        self.target = target
        self.events = events
        self.data = data
    }

    /// Reads a line of /proc/PID/fdinfo/FD of an epoll (proc_pid_fdinfo(5)):
    ///
    ///     tfd:        8 events: 80000005 data:         56320a1b  pos:0 ino:1cb07 sdev:8
    ///
    /// nil for any other line.
    public init?(fdinfo line: Span<UInt8>) {
        guard let target = EpollRegistration.number(after: "tfd:", in: line, radix: 10),
            let events = EpollRegistration.number(after: "events:", in: line, radix: 16),
            let data = EpollRegistration.number(after: "data:", in: line, radix: 16),
            let target = Int32(exactly: target), let events = UInt32(exactly: events)
        else { return nil }
        self.init(target: target, events: events, data: data)
    }

    /// The number after a key and spaces, up to a space or the end; nil if it is missing or too large.
    private static func number(after key: StaticString, in line: Span<UInt8>, radix: UInt64) -> UInt64? {
        let length = key.utf8CodeUnitCount
        var start = 0
        while start + length <= line.count, !matches(key, line, at: start) { start += 1 }
        var index = start + length
        while index < line.count, line[index] == UInt8(ascii: " ") { index += 1 }
        var value: UInt64 = 0
        var digits = 0
        while index < line.count, let digit = digit(line[index]), digit < radix {
            let (shifted, isTooLarge) = value.multipliedReportingOverflow(by: radix)
            let (sum, isStillTooLarge) = shifted.addingReportingOverflow(digit)
            guard !isTooLarge, !isStillTooLarge else { return nil }
            value = sum
            digits += 1
            index += 1
        }
        guard digits > 0, index >= line.count || line[index] == UInt8(ascii: " ") else { return nil }
        return value
    }

    private static func matches(_ key: StaticString, _ line: Span<UInt8>, at start: Int) -> Bool {
        for offset in 0..<key.utf8CodeUnitCount where key.utf8Start[offset] != line[start + offset] { return false }
        return true
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        default: nil
        }
    }
}
