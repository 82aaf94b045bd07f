import Addressing

/// An uncompressed domain name in wire format (RFC 1035 section 3.1): labels, each after its length, up to the empty
/// root label. The letters keep their case, because some clients check it in answers.
public struct DNSName: Sendable {
    private let storage: InlineArray<255, UInt8>
    private let length: Int

    static var mostLabels: Int { 127 }

    /// Takes the text of a name, with or without the final dot; nil when a label is empty or longer than 63 bytes, or
    /// the whole longer than 255.
    public init?(_ text: Span<UInt8>) {
        var name = Builder()
        let text = NameSyntax.withoutFinalDot(text)
        var start = 0
        for index in 0...text.count where index == text.count || text[index] == UInt8(ascii: ".") {
            guard name.append(label: text.extracting(start..<index)) else { return nil }
            start = index + 1
        }
        self = name.finished
    }

    private init(storage: InlineArray<255, UInt8>, length: Int) {
        self.storage = storage
        self.length = length
    }

    /// The wire format, 1 to 255 bytes.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
    }

    var isRoot: Bool { length == 1 }

    /// The text of the name, without the final dot; nil for the root, and where a label has a byte that text would have
    /// to escape: a dot, a backslash, white space, a control character (RFC 1035 section 5.1).
    public var hostName: HostName? {
        var text = InlineArray<255, UInt8>(repeating: UInt8(ascii: "."))
        var start = 0
        while storage[start] != 0 {
            let end = start + 1 + Int(storage[start])
            for index in (start + 1)..<end {
                let byte = storage[index]
                guard byte > UInt8(ascii: " "), byte != 0x7f, byte != UInt8(ascii: "."), byte != UInt8(ascii: "\\")
                else { return nil }
                text[index - 1] = byte
            }
            start = end
        }
        return start > 0 ? HostName(text.span.extracting(first: start - 1)) : nil
    }

    /// A name in the making, label by label.
    struct Builder {
        private var storage = InlineArray<255, UInt8>(repeating: 0)
        private var length = 0

        /// Returns false for a label that is empty or longer than 63 bytes, or for which the name has no room.
        mutating func append(label: Span<UInt8>) -> Bool {
            // One byte of length before, and one for the root behind.
            guard label.count > 0, label.count <= 63, label.count <= 255 - 2 - length else { return false }
            storage[length] = UInt8(truncatingIfNeeded: label.count)
            length += 1
            for index in label.indices {
                storage[length] = label[index]
                length += 1
            }
            return true
        }

        /// The name of the labels so far; the root if there are none.
        var finished: DNSName { DNSName(storage: storage, length: length + 1) }
    }
}

extension DNSName: Equatable {
    /// Compares without regard to the case of ASCII letters (RFC 4343). Lengths of labels are less than any letter.
    public static func == (left: DNSName, right: DNSName) -> Bool {
        equalIgnoringCase(left.bytes, right.bytes)
    }
}
