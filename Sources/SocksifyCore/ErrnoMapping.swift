import SOCKS5

/// Why a handshake failed.
enum HandshakeError: Error {
    /// The proxy broke the protocol, or refused.
    case proxy(ProtocolError)
    /// The proxy, or the way to it, failed.
    case kernel(Errno)
    /// The kernel could not connect to the proxy, and keeps the error for whoever asks first.
    case byKernel
    /// The proxy did not answer in the configured time.
    case timedOut

    /// What connect(2) fails with: the error that the program would have seen without a proxy.
    var errno: Errno {
        switch self {
        case .timedOut: .timedOut
        case .byKernel: .connectionRefused
        // What happens to an accepted connection is no error of connect(2); to the program none was ever accepted.
        case .kernel(.connectionReset), .kernel(.brokenPipe): .connectionRefused
        case .kernel(let errno): errno
        case .proxy(.rejected(let code)): errno(for: code)
        case .proxy(.credentialsRefused), .proxy(.noAcceptableMethod): .accessDenied
        case .proxy: .connectionRefused
        }
    }

    /// What a send of a datagram fails with for which there is no association. ECONNREFUSED would be a word of the
    /// destination's, which nobody has asked.
    var errnoOfDatagrams: Errno {
        errno == .accessDenied ? .accessDenied : .networkUnreachable
    }

    /// The error for a reply code. Where RFC 1928 says nothing fitting, the choice is that of torsocks and Dante,
    /// which programs have lived with.
    private func errno(for code: ReplyCode) -> Errno {
        switch code {
        case .networkUnreachable: .networkUnreachable
        case .hostUnreachable: .hostUnreachable
        case .ttlExpired: .timedOut
        default: .connectionRefused
        }
    }
}

func ~= (pattern: Errno, value: Errno) -> Bool {
    pattern == value
}
