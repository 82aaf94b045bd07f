import HTTPConnect
import SOCKS4
import SOCKS5
import Tunnel

/// Why a handshake failed.
enum HandshakeError: TunnelFailure {
    /// The proxy broke the protocol, or refused, or cannot be asked.
    case proxy(ProxyError)
    /// The proxy refused by a word that takes its time to find out, and said it at once: so do some of every destination
    /// that refuses.
    case refusedAtOnce(ProxyError)
    /// The proxy, or the way to it, failed.
    case kernel(Errno)
    /// The kernel could not connect to the proxy, and reports the error to the first call that asks.
    case byKernel
    /// The proxy did not answer in the configured time.
    case timedOut

    /// What connect(2) fails with: the error that the program would have seen without a proxy.
    var errno: Errno {
        switch self {
        case .timedOut: .timedOut
        case .byKernel, .refusedAtOnce: .connectionRefused
        // What happens to an accepted connection is no error of connect(2); to the program none was ever accepted.
        case .kernel(.connectionReset), .kernel(.brokenPipe): .connectionRefused
        // A socket of a Unix domain has no room for another connection, or is not there.
        case .kernel(let errno) where errno.isOfPath && errno != .accessDenied: .connectionRefused
        case .kernel(let errno): errno
        case .proxy(let error): errno(for: error)
        }
    }

    private func errno(for error: ProxyError) -> Errno {
        switch error {
        case .socks5(.rejected(let code)): errno(for: code)
        case .socks5(.credentialsRefused), .socks5(.noAcceptableMethod): .accessDenied
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

    /// What a send of a datagram fails with for which there is no association. ECONNREFUSED would be a word of the
    /// destination's, which nobody has asked.
    var errnoOfDatagrams: Errno {
        errno == .accessDenied ? .accessDenied : .networkUnreachable
    }

    /// The error for a reply code. Where RFC 1928 says nothing fitting, the choice is that of torsocks and Dante,
    /// which programs have lived with.
    private func errno(for code: SOCKS5.ReplyCode) -> Errno {
        switch code {
        case .networkUnreachable: .networkUnreachable
        case .hostUnreachable, .onionNotFound, .onionInvalid, .onionBadAddress: .hostUnreachable
        case .onionAuthorizationMissing, .onionAuthorizationWrong: .accessDenied
        case .ttlExpired, .onionIntroductionTimedOut: .timedOut
        default: .connectionRefused
        }
    }

    /// What it says of the proxy.
    var kind: FailureKind {
        switch self {
        case .proxy(let error): error.kind
        case .refusedAtOnce: .refusal
        case .timedOut, .kernel(.connectionReset), .kernel(.brokenPipe): .silence
        case .kernel(.aborted): .abortion
        case .kernel, .byKernel: .fault
        }
    }

    /// Whether the proxy speaks its protocol, and says that it does not do what it is asked for.
    var isRefusal: Bool { kind == .refusal }

    /// Whether the proxy did not do what it was asked for, in whatever words of its protocol.
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
