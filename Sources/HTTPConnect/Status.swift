/// A status code (RFC 9110 section 15).
public struct Status: Equatable, Sendable {
    /// Three digits.
    public let code: UInt16

    public init(code: UInt16) {
        self.code = code
    }

    public static var unauthorized: Status { Status(code: 401) }
    public static var forbidden: Status { Status(code: 403) }
    public static var proxyAuthenticationRequired: Status { Status(code: 407) }
    public static var badGateway: Status { Status(code: 502) }
    public static var serviceUnavailable: Status { Status(code: 503) }
    public static var gatewayTimeout: Status { Status(code: 504) }

    /// Every 2xx grants the request (RFC 9110 section 9.3.6).
    var isSuccess: Bool { code / 100 == 2 }

    /// Whether another response follows. After 101 another protocol would follow, which the client has not requested.
    var isInterim: Bool { code / 100 == 1 && code != 101 }

    /// The RFC's text for common refusals of CONNECT; nil for others.
    public var reason: StaticString? {
        switch code {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: nil
        }
    }
}
