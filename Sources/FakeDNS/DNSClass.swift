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
