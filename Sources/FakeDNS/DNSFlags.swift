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
