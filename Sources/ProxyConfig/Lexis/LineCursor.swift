/// Walks over the lines of a text.
struct LineCursor {
    private(set) var number = 0
    /// Where the current line begins; columns count from here.
    private(set) var start = 0
    private var next = 0

    /// The next line without its line feed; nil at the end.
    mutating func advance(in text: SourceText) -> Range<Int>? {
        guard next < text.bytes.count else { return nil }
        number += 1
        start = next
        let end = text.first(UInt8(ascii: "\n"), in: start..<text.bytes.count) ?? text.bytes.count
        next = end + 1
        return start..<end
    }
}
