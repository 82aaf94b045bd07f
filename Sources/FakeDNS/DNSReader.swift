/// Reads a message front to back, within its bounds.
struct DNSReader: ~Escapable {
    private let message: Span<UInt8>
    /// Where the next field begins: 0 to the count of bytes.
    private(set) var position: Int

    /// - Parameter position: 0 to the count of bytes; any other reads nothing.
    @_lifetime(copy message)
    init(_ message: Span<UInt8>, at position: Int = 0) {
        self.message = message
        self.position = position
    }

    var isAtEnd: Bool { position >= message.count }

    @_lifetime(self: copy self)
    mutating func uint8() throws(DNSReadingError) -> UInt8 {
        guard message.indices.contains(position) else { throw .malformed }
        let byte = message[position]
        position += 1
        return byte
    }

    @_lifetime(self: copy self)
    mutating func uint16() throws(DNSReadingError) -> UInt16 {
        let high = try uint8()
        return UInt16(high) << 8 | UInt16(try uint8())
    }

    @_lifetime(self: copy self)
    mutating func uint32() throws(DNSReadingError) -> UInt32 {
        let high = try uint16()
        return UInt32(high) << 16 | UInt32(try uint16())
    }

    @_lifetime(self: copy self)
    mutating func uint64() throws(DNSReadingError) -> UInt64 {
        let high = try uint32()
        return UInt64(high) << 32 | UInt64(try uint32())
    }

    @_lifetime(self: copy self)
    mutating func skip(_ count: Int) throws(DNSReadingError) {
        guard count >= 0, count <= message.count - position else { throw .malformed }
        position += count
    }

    /// Reads a name, which may be compressed (RFC 1035 section 4.1.4).
    @_lifetime(self: copy self)
    mutating func name() throws(DNSReadingError) -> DNSName {
        var name = DNSName.Builder()
        // A pointer continues the name elsewhere, and the message continues after the first pointer.
        var part = self
        var partStart = position
        var jumps = 0
        while true {
            let length = try part.uint8()
            switch length & 0xc0 {
            case 0x00 where length == 0:
                if jumps == 0 { position = part.position }
                return name.finished
            case 0x00:
                let start = part.position
                try part.skip(Int(length))
                guard name.append(label: message.extracting(start..<part.position)) else { throw .malformed }
            case 0xc0:
                let target = Int(length & 0x3f) << 8 | Int(try part.uint8())
                if jumps == 0 { position = part.position }
                jumps += 1
                // Only back, so that there is no loop, and not through more places than there can be labels: a
                // message could else be made of pointers.
                guard target >= DNSHeader.length, target < partStart, jumps <= DNSName.mostLabels else {
                    throw .malformed
                }
                partStart = target
                part = DNSReader(message, at: target)
            default:
                throw .malformed
            }
        }
    }
}
