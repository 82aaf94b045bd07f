import Addressing

/// An authentication method (RFC 1928 section 3, METHODS and METHOD).
public struct Method: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var noAuthentication: Method { Method(code: 0x00) }
    /// RFC 1929.
    public static var usernamePassword: Method { Method(code: 0x02) }
    /// The proxy accepts none of the methods that were offered.
    public static var noneAcceptable: Method { Method(code: 0xff) }
}

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

/// The proxy's answer to the greeting: VER, METHOD (RFC 1928 section 3).
enum MethodSelection {
    static var length: Int { 2 }

    static func read(_ bytes: Span<UInt8>) throws(ProtocolError) -> Method {
        guard bytes.count == length else { throw .unexpectedLength(bytes.count) }
        guard bytes[0] == protocolVersion else { throw .wrongVersion(bytes[0]) }
        return Method(code: bytes[1])
    }
}
