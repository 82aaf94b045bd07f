import Addressing

/// The text of one line, of at most 511 bytes and a newline; what is longer is cut.
struct LogLine: ByteSink {
    private var storage = InlineArray<512, UInt8>(repeating: 0)
    private var length = 0

    /// Room for " (1048575 lines omitted)".
    private static var noteLength: Int { 30 }

    /// Takes a character. Control characters, which could forge lines, come from names and files: they become `?`.
    @inline(never)
    mutating func append(_ byte: UInt8) {
        guard length < 511 else { return }
        storage[length] = byte < 0x20 || byte == 0x7f ? UInt8(ascii: "?") : byte
        length += 1
    }

    /// - Parameter leftOut: how many lines before it were left out.
    mutating func end(with message: LogLine, leftOut: Int) {
        append(message.text)
        if leftOut > 0 {
            length = min(length, 511 - LogLine.noteLength)
            append(" (")
            append(decimal: leftOut)
            append(" lines omitted)")
        }
        storage[length] = UInt8(ascii: "\n")
        length += 1
    }

    /// A number for the text, which another text hardly has; never 0.
    var digest: UInt64 {
        var hash = FNV1a()
        hash.append(text)
        return hash.value | 1
    }

    var text: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
    }
}
