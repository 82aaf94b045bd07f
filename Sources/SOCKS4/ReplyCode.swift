/// The result code of a reply (CD).
public struct ReplyCode: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var granted: ReplyCode { ReplyCode(code: 90) }
    public static var rejectedOrFailed: ReplyCode { ReplyCode(code: 91) }
    /// The proxy cannot reach identd on the client's machine (RFC 1413).
    public static var identUnreachable: ReplyCode { ReplyCode(code: 92) }
    /// identd on the client's machine names another user than the request.
    public static var userIDMismatch: ReplyCode { ReplyCode(code: 93) }

    /// The protocol's text, shortened; nil for an unknown code.
    public var reason: StaticString? {
        switch code {
        case 90: "request granted"
        case 91: "request rejected or failed"
        case 92: "the proxy cannot connect to identd on the client"
        case 93: "identd on the client reports a different user ID"
        default: nil
        }
    }
}
