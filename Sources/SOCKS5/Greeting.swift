import Addressing

/// The client's first message (RFC 1928 section 3).
///
///     +-----+----------+----------+
///     | VER | NMETHODS | METHODS  |
///     |  1  |    1     | 1 to 255 |
///     +-----+----------+----------+
struct Greeting {
    /// Whether user name and password are offered beside no authentication.
    var offersUsernamePassword: Bool

    func offers(_ method: Method) -> Bool {
        method == .noAuthentication || offersUsernamePassword && method == .usernamePassword
    }

    func write(to message: inout some ByteSink) {
        message.append(protocolVersion)
        message.append(offersUsernamePassword ? 2 : 1)
        message.append(Method.noAuthentication.code)
        if offersUsernamePassword { message.append(Method.usernamePassword.code) }
    }
}
