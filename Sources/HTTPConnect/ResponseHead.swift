/// Parses the head of a response (RFC 9112 section 4) byte by byte, and keeps only the status.
///
/// A line ends with LF, with or without CR. Header fields are skipped: none affects the response to CONNECT (RFC 9110
/// section 9.3.6).
struct ResponseHead {
    /// The progress in the head.
    enum Progress: Equatable {
        case unfinished
        /// The status line is read.
        case status(Status)
        /// This was the last byte of a head with this status.
        case end(Status)
    }

    private enum Place {
        case version(Int)
        case code(digits: Int)
        /// After the code, or in a header field: the rest of the line is ignored.
        case line
        case lineStart
        case carriageReturnAtLineStart
    }

    private var place = Place.version(0)
    private var code: UInt16 = 0

    /// The state, in 32 bits.
    var progress: UInt64 {
        let position: UInt64 =
            switch place {
            case .version(let position): UInt64(position)
            case .code(let digits): 0x10 | UInt64(digits)
            case .line: 0x20
            case .lineStart: 0x21
            case .carriageReturnAtLineStart: 0x22
            }
        return position | UInt64(code) << 8
    }

    /// Restores the state; nil for an invalid word.
    init?(progress: UInt64) {
        let position = Int(progress & 0xff)
        // One more than the largest number with this count of digits.
        let limit: UInt64
        switch position {
        case 0...8: (place, limit) = (.version(position), 1)
        case 0x10: (place, limit) = (.code(digits: 0), 1)
        case 0x11: (place, limit) = (.code(digits: 1), 10)
        case 0x12: (place, limit) = (.code(digits: 2), 100)
        case 0x13: (place, limit) = (.code(digits: 3), 1000)
        case 0x20: (place, limit) = (.line, 1000)
        case 0x21: (place, limit) = (.lineStart, 1000)
        case 0x22: (place, limit) = (.carriageReturnAtLineStart, 1000)
        default: return nil
        }
        guard progress >> 8 < limit else { return nil }
        code = UInt16(truncatingIfNeeded: progress >> 8)
    }

    init() {}

    mutating func read(_ byte: UInt8) throws(ProtocolError) -> Progress {
        switch place {
        case .version(let position):
            guard ResponseHead.isVersion(byte, at: position) else { throw .notHTTP }
            place = position < 8 ? .version(position + 1) : .code(digits: 0)
        case .code(3):
            guard byte == space || byte == carriageReturn || byte == lineFeed else { throw .notHTTP }
            place = byte == lineFeed ? .lineStart : .line
            return .status(Status(code: code))
        case .code(let digits):
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .notHTTP }
            code = code * 10 + UInt16(byte - UInt8(ascii: "0"))
            place = .code(digits: digits + 1)
        case .line:
            if byte == lineFeed { place = .lineStart }
        case .lineStart:
            if byte == lineFeed { return .end(Status(code: code)) }
            place = byte == carriageReturn ? .carriageReturnAtLineStart : .line
        case .carriageReturnAtLineStart:
            if byte == lineFeed { return .end(Status(code: code)) }
            place = .line
        }
        return .unfinished
    }

    /// HTTP/1.x and a space.
    private static func isVersion(_ byte: UInt8, at position: Int) -> Bool {
        switch position {
        case 0: byte == UInt8(ascii: "H")
        case 1, 2: byte == UInt8(ascii: "T")
        case 3: byte == UInt8(ascii: "P")
        case 4: byte == UInt8(ascii: "/")
        case 5: byte == UInt8(ascii: "1")
        case 6: byte == UInt8(ascii: ".")
        case 7: byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
        default: byte == space
        }
    }
}

private var space: UInt8 { UInt8(ascii: " ") }
private var carriageReturn: UInt8 { UInt8(ascii: "\r") }
private var lineFeed: UInt8 { UInt8(ascii: "\n") }
