/// The kind of query (RFC 1035 section 4.1.1, OPCODE): 0 to 15.
public struct DNSOpcode: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var query: DNSOpcode { DNSOpcode(code: 0) }
}
