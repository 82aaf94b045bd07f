import Addressing

/// One line of hosts(5): an address, then names, the canonical one first.
public struct HostsLine: ~Escapable {
    public let address: IPAddress
    private let names: Span<UInt8>

    /// nil for a blank line, a comment, or a line that starts with no address.
    @_lifetime(copy line)
    public init?(_ line: Span<UInt8>) {
        var end = 0
        while end < line.count, line[end] != UInt8(ascii: "#"), line[end] != UInt8(ascii: "\n") { end += 1 }
        let text = line.extracting(first: end)
        let first = HostsLine.word(in: text, from: 0)
        guard !first.isEmpty, let address = IPAddress(parsing: text.extracting(first)) else { return nil }
        self.address = address
        self.names = text.extracting(first.upperBound...)
    }

    /// Whether the line gives `name` this address, as its canonical name or as an alias.
    public func gives(_ name: HostName) -> Bool {
        var word = HostsLine.word(in: names, from: 0)
        while !word.isEmpty {
            if equalIgnoringCase(names.extracting(word), name.bytes) { return true }
            word = HostsLine.word(in: names, from: word.upperBound)
        }
        return false
    }

    /// nil when the line has no name.
    public var canonicalName: HostName? {
        HostName(names.extracting(HostsLine.word(in: names, from: 0)))
    }

    /// The next run of characters that are not white space; empty at the end.
    private static func word(in text: Span<UInt8>, from position: Int) -> Range<Int> {
        var start = position
        while start < text.count, isSpace(text[start]) { start += 1 }
        var end = start
        while end < text.count, !isSpace(text[end]) { end += 1 }
        return start..<end
    }

    private static func isSpace(_ character: UInt8) -> Bool {
        character == UInt8(ascii: " ") || character >= 9 && character <= 13
    }
}
