import Addressing

/// Encodes bytes in Base64 (RFC 4648 section 4) as a stream, without a buffer.
struct Base64Encoder {
    /// The bytes of an incomplete group, the last in the lowest bits.
    private var group: UInt32 = 0
    private var count = 0

    mutating func write(_ bytes: Span<UInt8>, to sink: inout some ByteSink) {
        for index in bytes.indices { write(bytes[index], to: &sink) }
    }

    mutating func write(_ byte: UInt8, to sink: inout some ByteSink) {
        group = group << 8 | UInt32(byte)
        count += 1
        if count == 3 { writeGroup(to: &sink) }
    }

    /// Writes the remaining bytes with padding.
    mutating func finish(in sink: inout some ByteSink) {
        if count > 0 { writeGroup(to: &sink) }
    }

    private mutating func writeGroup(to sink: inout some ByteSink) {
        group <<= UInt32(truncatingIfNeeded: 8 * (3 - count))
        for position in 0..<4 {
            let digit = UInt8(truncatingIfNeeded: group >> UInt32(truncatingIfNeeded: 18 - 6 * position) & 0x3f)
            sink.append(position <= count ? character(of: digit) : UInt8(ascii: "="))
        }
        group = 0
        count = 0
    }

    private func character(of digit: UInt8) -> UInt8 {
        switch digit {
        case 0..<26: UInt8(ascii: "A") + digit
        case 26..<52: UInt8(ascii: "a") + (digit - 26)
        case 52..<62: UInt8(ascii: "0") + (digit - 52)
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
