import Addressing
import HTTPConnect
import SOCKS4
import SOCKS5

/// Why a step of a check did not succeed: the rest of a sentence that begins with the proxy, and what may help.
struct StepFailure: Error, Equatable {
    var reason: String

    init(reason: String) {
        self.reason = reason
    }

    init(_ error: SOCKS5.ProtocolError) {
        let help =
            switch error {
            case .noAcceptableMethod: "; \(Self.credentials)"
            case .wrongVersion(UInt8(ascii: "H")): "; is it an HTTP proxy, http://HOST:PORT?"
            default: ""
            }
        reason = Self.text { error.write(to: &$0) } + help
    }

    init(_ error: SOCKS4.ProtocolError) {
        reason = Self.text { error.write(to: &$0) } + (error == .closed ? "; is it a SOCKS4 proxy?" : "")
    }

    init(_ error: HTTPConnect.ProtocolError) {
        let help =
            switch error {
            case .credentialsWanted: "; \(Self.credentials)"
            case .notHTTP, .closed: "; is it an HTTP proxy?"
            default: ""
            }
        reason = Self.text { error.write(to: &$0) } + help
    }

    private static var credentials: String { "give a user and a password, as in USER:PASSWORD@HOST:PORT" }

    private static func text(_ write: (inout [UInt8]) -> Void) -> String {
        var bytes: [UInt8] = []
        write(&bytes)
        return bytes.shown
    }
}
