import Addressing
import CLibC
import ProxyConfig

/// Lines on standard error for the person who runs the program. Each is written whole, by one system call, from a
/// fixed buffer: it can be done in a signal handler.
enum Log {
    /// Writes a line of `level` if the configuration wants it.
    static func write(_ level: LogLevel, _ configuration: Configuration, _ compose: (inout LogLine) -> Void) {
        guard level.rawValue <= configuration.logLevel.rawValue else { return }
        write(compose)
    }

    /// Writes a line that no configuration could switch off, because there is none.
    static func write(_ compose: (inout LogLine) -> Void) {
        var line = LogLine()
        line.append("socksify: ")
        compose(&line)
        line.end()
        line.bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            _ = kernel_write(2, start, buffer.count)
        }
    }
}

/// The text of one line, of at most 511 bytes and a newline; what is longer is cut.
struct LogLine: ByteSink {
    private var storage = InlineArray<512, UInt8>(repeating: 0)
    private var length = 0

    /// Takes a character. Control characters, which could forge lines, come from names and files: they become `?`.
    mutating func append(_ byte: UInt8) {
        guard length < 511 else { return }
        storage[length] = byte < 0x20 || byte == 0x7f ? UInt8(ascii: "?") : byte
        length += 1
    }

    fileprivate mutating func end() {
        storage[length] = UInt8(ascii: "\n")
        length += 1
    }

    fileprivate var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
    }
}
