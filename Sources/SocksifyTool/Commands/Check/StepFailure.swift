import HTTPConnect
import SOCKS4
import SOCKS5
import Tunnel

/// Why a step of a check did not succeed: the rest of a sentence that begins with the proxy, and what may help.
struct StepFailure: TunnelFailure, Equatable {
    var reason: String

    static func proxy(_ error: ProxyError) -> StepFailure {
        let help =
            switch error {
            case .socks5(.noAcceptableMethod), .http(.credentialsWanted):
                "; give a user and a password, as in USER:PASSWORD@HOST:PORT"
            case .socks5(.wrongVersion(UInt8(ascii: "H"))): "; is it an HTTP proxy, http://HOST:PORT?"
            case .socks4(.closed): "; is it a SOCKS4 proxy?"
            case .http(.notHTTP), .http(.closed): "; is it an HTTP proxy?"
            default: ""
            }
        var text: [UInt8] = []
        error.write(to: &text)
        return StepFailure(reason: text.shown + help)
    }
}
