/// The reply code of a request (RFC 1928 section 6, REP). Proxies also send codes outside the RFC.
public struct ReplyCode: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var succeeded: ReplyCode { ReplyCode(code: 0) }
    public static var generalFailure: ReplyCode { ReplyCode(code: 1) }
    public static var notAllowedByRuleset: ReplyCode { ReplyCode(code: 2) }
    public static var networkUnreachable: ReplyCode { ReplyCode(code: 3) }
    public static var hostUnreachable: ReplyCode { ReplyCode(code: 4) }
    public static var connectionRefused: ReplyCode { ReplyCode(code: 5) }
    public static var ttlExpired: ReplyCode { ReplyCode(code: 6) }
    public static var commandNotSupported: ReplyCode { ReplyCode(code: 7) }
    public static var addressTypeNotSupported: ReplyCode { ReplyCode(code: 8) }

    // Tor with `ExtendedErrors`.
    public static var onionNotFound: ReplyCode { ReplyCode(code: 0xf0) }
    public static var onionInvalid: ReplyCode { ReplyCode(code: 0xf1) }
    public static var onionIntroductionFailed: ReplyCode { ReplyCode(code: 0xf2) }
    public static var onionRendezvousFailed: ReplyCode { ReplyCode(code: 0xf3) }
    public static var onionAuthorizationMissing: ReplyCode { ReplyCode(code: 0xf4) }
    public static var onionAuthorizationWrong: ReplyCode { ReplyCode(code: 0xf5) }
    public static var onionBadAddress: ReplyCode { ReplyCode(code: 0xf6) }
    public static var onionIntroductionTimedOut: ReplyCode { ReplyCode(code: 0xf7) }

    /// The text of the RFC, or of Tor; nil for an unknown code.
    public var reason: StaticString? {
        switch code {
        case 0: "succeeded"
        case 1: "general SOCKS server failure"
        case 2: "connection not allowed by ruleset"
        case 3: "network unreachable"
        case 4: "host unreachable"
        case 5: "connection refused"
        case 6: "TTL expired"
        case 7: "command not supported"
        case 8: "address type not supported"
        case 0xf0: "onion service descriptor not found"
        case 0xf1: "onion service descriptor invalid"
        case 0xf2: "onion service introduction failed"
        case 0xf3: "onion service rendezvous failed"
        case 0xf4: "onion service client authorization missing"
        case 0xf5: "onion service client authorization wrong"
        case 0xf6: "onion service address invalid"
        case 0xf7: "onion service introduction timed out"
        default: nil
        }
    }
}
