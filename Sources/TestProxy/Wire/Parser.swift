// The wire formats of the protocols, written for the server's side and apart from the client's own
// implementation: two readings of a standard that agree are better than one that agrees with itself.

/// The result of parsing a message at the start of a buffer.
///
/// The buffer is untouched unless a whole message was there.
enum Parsed<Message> {
    case message(Message)
    case needMore
    case malformed(String)
}

/// Reads fields off the beginning of a buffer, and remembers how far it got.
struct Reader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func byte() -> UInt8? {
        guard offset < bytes.count else { return nil }
        defer { offset += 1 }
        return bytes[offset]
    }

    mutating func bytes(_ count: Int) -> [UInt8]? {
        guard offset + count <= bytes.count else { return nil }
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// A length in one byte, then as many bytes.
    mutating func counted() -> [UInt8]? {
        guard let count = byte() else { return nil }
        return bytes(Int(count))
    }

    /// Bytes up to a zero byte, which is passed over.
    mutating func terminated() -> [UInt8]? {
        guard let end = bytes[offset...].firstIndex(of: 0) else { return nil }
        defer { offset = end + 1 }
        return Array(bytes[offset..<end])
    }

    /// Two bytes, the higher first.
    mutating func port() -> UInt16? {
        guard let bytes = bytes(2) else { return nil }
        return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }
}
