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

/// The class of a record or a question (RFC 1035 section 3.2.4, CLASS and QCLASS).
public struct DNSClass: Equatable, Sendable {
    public let code: UInt16

    public init(code: UInt16) {
        self.code = code
    }

    /// IN
    public static var internet: DNSClass { DNSClass(code: 1) }
    /// `*`, in questions only.
    public static var any: DNSClass { DNSClass(code: 255) }
}

/// The kind of query (RFC 1035 section 4.1.1, OPCODE): 0 to 15.
public struct DNSOpcode: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var query: DNSOpcode { DNSOpcode(code: 0) }
}

/// The response code (RFC 1035 section 4.1.1, RCODE; RFC 6891 section 6.1.3, EXTENDED-RCODE): 0 to 4095.
public struct DNSResponseCode: Equatable, Sendable {
    public let code: UInt16

    public init(code: UInt16) {
        self.code = code
    }

    /// NOERROR. Without records it means NODATA: the name exists, without records of the type (RFC 2308 section 2.2).
    public static var noError: DNSResponseCode { DNSResponseCode(code: 0) }
    /// FORMERR
    public static var formatError: DNSResponseCode { DNSResponseCode(code: 1) }
    /// SERVFAIL
    public static var serverFailure: DNSResponseCode { DNSResponseCode(code: 2) }
    /// NXDOMAIN
    public static var nameError: DNSResponseCode { DNSResponseCode(code: 3) }
    /// NOTIMP
    public static var notImplemented: DNSResponseCode { DNSResponseCode(code: 4) }
    /// REFUSED
    public static var refused: DNSResponseCode { DNSResponseCode(code: 5) }
    /// BADVERS
    public static var badVersion: DNSResponseCode { DNSResponseCode(code: 16) }
}
