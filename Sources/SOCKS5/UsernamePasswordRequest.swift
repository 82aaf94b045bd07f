import Addressing

/// The request of RFC 1929 section 2.
///
///     +-----+------+----------+------+----------+
///     | VER | ULEN |  UNAME   | PLEN |  PASSWD  |
///     |  1  |  1   | 1 to 255 |  1   | 1 to 255 |
///     +-----+------+----------+------+----------+
///
/// An empty password is allowed, because some proxies only check the user.
public enum UsernamePasswordRequest {
    /// A length outside 1...255, or 0...255 of a password.
    public enum LengthError: Error, Equatable {
        case user(Int)
        case password(Int)
    }

    /// Appends the request to `message`.
    ///
    /// - Throws: a length outside the ranges of RFC 1929; `message` is then unchanged.
    public static func write(
        user: Span<UInt8>, password: Span<UInt8>, to message: inout some ByteSink
    ) throws(LengthError) {
        guard let userLength = UInt8(exactly: user.count), userLength > 0 else { throw .user(user.count) }
        guard let passwordLength = UInt8(exactly: password.count) else { throw .password(password.count) }
        message.append(1)
        message.append(userLength)
        message.append(user)
        message.append(passwordLength)
        message.append(password)
    }
}
