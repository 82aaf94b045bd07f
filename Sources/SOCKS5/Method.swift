/// An authentication method (RFC 1928 section 3, METHODS and METHOD).
public struct Method: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var noAuthentication: Method { Method(code: 0x00) }
    /// RFC 1961.
    public static var gssapi: Method { Method(code: 0x01) }
    /// RFC 1929.
    public static var usernamePassword: Method { Method(code: 0x02) }
    /// The proxy accepts none of the methods that were offered.
    public static var noneAcceptable: Method { Method(code: 0xff) }
}
