// The codes of DNS messages. Each type is open: any value is valid, named or not.

/// The type of a record or a question (RFC 1035 section 3.2.2, TYPE and QTYPE).
public struct DNSType: Equatable, Sendable {
    public let code: UInt16

    public init(code: UInt16) {
        self.code = code
    }

    public static var a: DNSType { DNSType(code: 1) }
    public static var cname: DNSType { DNSType(code: 5) }
    public static var ptr: DNSType { DNSType(code: 12) }
    /// RFC 3596
    public static var aaaa: DNSType { DNSType(code: 28) }
    /// RFC 6891: the pseudo-record of EDNS.
    public static var opt: DNSType { DNSType(code: 41) }
    /// RFC 9460
    public static var svcb: DNSType { DNSType(code: 64) }
    /// RFC 9460
    public static var https: DNSType { DNSType(code: 65) }
}
