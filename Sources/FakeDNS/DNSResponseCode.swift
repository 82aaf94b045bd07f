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
