import Addressing

/// The client's first message (RFC 1928 section 3).
///
///     +-----+----------+----------+
///     | VER | NMETHODS | METHODS  |
///     |  1  |    1     | 1 to 255 |
///     +-----+----------+----------+
struct Greeting {
    var offer: AuthenticationOffer

    func offers(_ method: Method) -> Bool {
        switch offer {
        case .none: method == .noAuthentication
        case .usernamePassword: method == .noAuthentication || method == .usernamePassword
        case .gssapi: method == .gssapi
        }
    }

    func write(to message: inout some ByteSink) {
        message.append(protocolVersion)
        switch offer {
        case .none:
            message.append(1)
            message.append(Method.noAuthentication.code)
        case .usernamePassword:
            message.append(2)
            message.append(Method.noAuthentication.code)
            message.append(Method.usernamePassword.code)
        case .gssapi:
            message.append(1)
            message.append(Method.gssapi.code)
        }
    }
}
