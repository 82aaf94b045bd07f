/// The first twelve bytes of a message (RFC 1035 section 4.1.1).
///
///     +----+-------+---------+---------+---------+---------+
///     | ID | flags | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT |
///     |  2 |   2   |    2    |    2    |    2    |    2    |
///     +----+-------+---------+---------+---------+---------+
struct DNSHeader {
    static var length: Int { 12 }

    var id: UInt16
    var flags: DNSFlags
    /// The counts of the entries. In a received message they are unverified.
    var questionCount: UInt16 = 0
    var answerCount: UInt16 = 0
    var authorityCount: UInt16 = 0
    var additionalCount: UInt16 = 0

    init(id: UInt16, flags: DNSFlags) {
        self.id = id
        self.flags = flags
    }

    init(from reader: inout DNSReader) throws(DNSReadingError) {
        id = try reader.uint16()
        flags = DNSFlags(rawValue: try reader.uint16())
        questionCount = try reader.uint16()
        answerCount = try reader.uint16()
        authorityCount = try reader.uint16()
        additionalCount = try reader.uint16()
    }

    func write(to writer: inout DNSWriter) {
        writer.append(id)
        writer.append(flags.rawValue)
        writer.append(questionCount)
        writer.append(answerCount)
        writer.append(authorityCount)
        writer.append(additionalCount)
    }
}

/// The flags of a message, and the two codes between them (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6).
///
///     +----+--------+----+----+----+----+---+----+----+-------+
///     | QR | OPCODE | AA | TC | RD | RA | Z | AD | CD | RCODE |
///     |  1 |   4    |  1 |  1 |  1 |  1 | 1 |  1 |  1 |   4   |
///     +----+--------+----+----+----+----+---+----+----+-------+
public struct DNSFlags: OptionSet, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// QR
    public static var response: DNSFlags { DNSFlags(rawValue: 0x8000) }
    /// TC
    public static var truncated: DNSFlags { DNSFlags(rawValue: 0x0200) }
    /// RD
    public static var recursionDesired: DNSFlags { DNSFlags(rawValue: 0x0100) }
    /// RA
    public static var recursionAvailable: DNSFlags { DNSFlags(rawValue: 0x0080) }
    /// AD: in a query, the client understands it (RFC 6840 section 5.7).
    public static var authenticData: DNSFlags { DNSFlags(rawValue: 0x0020) }
    /// CD
    public static var checkingDisabled: DNSFlags { DNSFlags(rawValue: 0x0010) }

    static var allOfOpcode: DNSFlags { DNSFlags(rawValue: 0x7800) }

    public var opcode: DNSOpcode { DNSOpcode(code: UInt8(rawValue >> 11 & 0xf)) }

    /// RCODE, the lower four bits of the response code.
    var lowResponseCode: UInt16 { rawValue & 0xf }

    init(lowResponseCodeOf code: DNSResponseCode) {
        self.init(rawValue: code.code & 0xf)
    }
}
