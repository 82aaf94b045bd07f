import Addressing

/// A user name and a password, each of 1 to 255 bytes (RFC 1929 section 2).
public struct UsernamePassword: Sendable {
    private let user: ShortString
    private let password: ShortString

    /// - Throws: the length that does not fit into RFC 1929's length bytes.
    public init(user: Span<UInt8>, password: Span<UInt8>) throws(LengthError) {
        guard let user = ShortString(user) else { throw .user(user.count) }
        guard let password = ShortString(password) else { throw .password(password.count) }
        self.user = user
        self.password = password
    }

    /// A length outside 1...255.
    public enum LengthError: Error, Equatable {
        case user(Int)
        case password(Int)
    }

    /// Writes the request of RFC 1929 section 2.
    ///
    ///     +-----+------+----------+------+----------+
    ///     | VER | ULEN |  UNAME   | PLEN |  PASSWD  |
    ///     |  1  |  1   | 1 to 255 |  1   | 1 to 255 |
    ///     +-----+------+----------+------+----------+
    func write(to message: inout Message) {
        message.append(1)
        message.append(UInt8(truncatingIfNeeded: user.count))
        message.append(user.bytes)
        message.append(UInt8(truncatingIfNeeded: password.count))
        message.append(password.bytes)
    }
}

/// The proxy's verdict on user name and password: VER, STATUS (RFC 1929 section 2).
enum UsernamePasswordStatus {
    static var length: Int { 2 }

    /// Returns when the credentials were accepted.
    static func read(_ bytes: Span<UInt8>) throws(ProtocolError) {
        guard bytes.count == length else { throw .unexpectedLength(bytes.count) }
        // The version of the subnegotiation is 1; some servers answer with that of SOCKS.
        guard bytes[0] == 1 || bytes[0] == protocolVersion else { throw .wrongVersion(bytes[0]) }
        guard bytes[1] == 0 else { throw .credentialsRefused(status: bytes[1]) }
    }
}
