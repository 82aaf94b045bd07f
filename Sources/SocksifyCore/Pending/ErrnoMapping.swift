import HTTPConnect
import SOCKS4
import SOCKS5

/// Why a handshake failed.
enum HandshakeError: Error {
    /// The proxy broke the protocol, or refused.
    case socks5(SOCKS5.ProtocolError)
    case socks4(SOCKS4.ProtocolError)
    case http(HTTPConnect.ProtocolError)
    /// The proxy refused by a word that takes its time to find out, and said it at once: so do some of every destination
    /// that refuses.
    case refusedAtOnce(SlowWord)
    /// The proxy, or the way to it, failed.
    case kernel(Errno)
    /// The kernel could not connect to the proxy, and keeps the error for whoever asks first.
    case byKernel
    /// The proxy did not answer in the configured time.
    case timedOut
    /// The proxy is where no other one, and no socket like this, can connect to.
    case unreachable

    /// Words of refusal that stand for something that was waited for.
    enum SlowWord {
        /// HTTP 504 (ncat)
        case gatewayTimeout
        /// SOCKS4 92 (tiny-proxy)
        case identUnreachable
    }

    /// What connect(2) fails with: the error that the program would have seen without a proxy.
    var errno: Errno {
        switch self {
        case .timedOut: .timedOut
        case .byKernel, .refusedAtOnce: .connectionRefused
        case .unreachable: .networkUnreachable
        // What happens to an accepted connection is no error of connect(2); to the program none was ever accepted.
        case .kernel(.connectionReset), .kernel(.brokenPipe): .connectionRefused
        // A socket of a Unix domain has no room for another connection, or is not there.
        case .kernel(let errno) where errno.isOfPath && errno != .accessDenied: .connectionRefused
        case .kernel(let errno): errno
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

    /// Whether the proxy speaks its protocol, and says that it does not do what it is asked for.
    var isRefusal: Bool {
        switch self {
        case .socks5(.rejected), .http(.rejected), .refusedAtOnce: true
        // As of sshd, for a destination that it cannot connect to.
        case .socks5(.closedInPlaceOfReply): true
        // The others are about who asks.
        case .socks4(.rejected(let code)): code != .identUnreachable && code != .userIDMismatch
        default: false
        }
    }

    /// Whether the proxy says nothing.
    var isSilence: Bool {
        switch self {
        case .timedOut, .socks5(.closed), .socks4(.closed), .http(.closed): true
        case .kernel(.connectionReset), .kernel(.brokenPipe): true
        default: false
        }
    }

    /// Whether the proxy did not do what it was asked for, in whatever words of its protocol.
    var isOfProtocol: Bool {
        switch self {
        case .socks5, .socks4, .http, .refusedAtOnce: true
        case .kernel, .byKernel, .timedOut, .unreachable: false
        }
    }

    /// Whether the proxy was not asked at all, because there is no form for that.
    var isOfConfiguration: Bool {
        switch self {
        case .unreachable, .socks4(.ipv6Destination), .socks4(.reservedDestination), .socks4(.unusableName),
            .socks4(.unusableUserID), .http(.unusableName), .http(.unusableCredentials):
            true
        default: false
        }
    }

    /// Whether it was not the proxy that ended it.
    var isAbortion: Bool {
        if case .kernel(.aborted) = self { return true }
        return false
    }
}

func ~= (pattern: Errno, value: Errno) -> Bool {
    pattern == value
}
