import HTTPConnect
import SOCKS4
import SOCKS5
import Tunnel

/// Why a handshake failed.
enum HandshakeError: TunnelFailure {
    /// The proxy broke the protocol, refused, or cannot be asked.
    case proxy(ProxyError)
    /// The proxy refused at once, with a code for a timeout: some proxies use it for every destination that refuses.
    case refusedAtOnce(ProxyError)
    /// The proxy, or the connection to it, failed.
    case kernel(Errno)
    /// The kernel could not connect to the proxy, and reports the error to the first call that asks.
    case byKernel
    /// The proxy did not answer within the configured time.
    case timedOut

    /// The error of connect(2): the one that the program would have seen without a proxy.
    var errno: Errno {
        switch self {
        case .timedOut: .timedOut
        case .byKernel, .refusedAtOnce: .connectionRefused
        // Errors of an accepted connection are not errors of connect(2); the program has none that was accepted.
        case .kernel(.connectionReset), .kernel(.brokenPipe): .connectionRefused
        // A Unix-domain socket has a full backlog, or is not there.
        case .kernel(let errno) where errno.isOfPath && errno != .accessDenied: .connectionRefused
        case .kernel(let errno): errno
        case .proxy(let error): errno(for: error)
        }
    }

    private func errno(for error: ProxyError) -> Errno {
        switch error {
        case .socks5(.rejected(let code)): errno(for: code)
        case .socks5(.credentialsRefused), .socks5(.noAcceptableMethod), .socks5(.securityAborted),
            .socks5(.closedInPlaceOfToken), .socks5(.closedInPlaceOfProtection), .socks5(.protectionRefused),
            .socks5(.mechanismFailed), .socks5(.mechanismMissing):
            .accessDenied
        case .socks5: .connectionRefused
        case .socks4(.rejected(.identUnreachable)), .socks4(.rejected(.userIDMismatch)), .socks4(.unusableUserID):
            .accessDenied
        case .socks4(.ipv6Destination), .socks4(.reservedDestination): .networkUnreachable
        case .socks4(.unusableName): .hostUnreachable
        case .socks4: .connectionRefused
        case .http(.credentialsWanted), .http(.credentialsRefused), .http(.unusableCredentials): .accessDenied
        case .http(.rejected(.gatewayTimeout)): .timedOut
        case .http(.unusableName): .hostUnreachable
        case .http: .connectionRefused
        case .unreachable, .connectionsAlone: .networkUnreachable
        case .outOfStep: .aborted
        }
    }

    /// The error of a datagram without an association. Not ECONNREFUSED: that would be the destination's, which was not
    /// asked.
    var errnoOfDatagrams: Errno {
        errno == .accessDenied ? .accessDenied : .networkUnreachable
    }

    /// The error for a reply code. Without a fitting one in RFC 1928, that of torsocks and Dante, which programs know.
    private func errno(for code: SOCKS5.ReplyCode) -> Errno {
        switch code {
        case .networkUnreachable: .networkUnreachable
        case .hostUnreachable, .onionNotFound, .onionInvalid, .onionBadAddress: .hostUnreachable
        case .onionAuthorizationMissing, .onionAuthorizationWrong: .accessDenied
        case .ttlExpired, .onionIntroductionTimedOut: .timedOut
        default: .connectionRefused
        }
    }

    /// What the error says of the proxy.
    var kind: FailureKind {
        switch self {
        case .proxy(let error): error.kind
        case .refusedAtOnce: .refusal
        case .timedOut, .kernel(.connectionReset), .kernel(.brokenPipe): .silence
        case .kernel(.aborted): .abortion
        case .kernel, .byKernel: .fault
        }
    }

    /// Whether the proxy speaks its protocol, and refuses the request as such.
    var isRefusal: Bool { kind == .refusal }

    /// Whether the proxy did not do what it was asked for, with any code of its protocol.
    var isOfProtocol: Bool {
        switch self {
        case .proxy(.socks5), .proxy(.socks4), .proxy(.http), .refusedAtOnce: true
        case .proxy, .kernel, .byKernel, .timedOut: false
        }
    }
}

func ~= (pattern: Errno, value: Errno) -> Bool {
    pattern == value
}
