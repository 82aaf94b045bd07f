import Foundation

/// A user name and a password (RFC 1929, section 2); SOCKS4 knows a user name alone.
///
///     01 ULEN UNAME… PLEN PASSWD…
public struct Credentials: Equatable, Sendable {
    public var user: [UInt8]
    public var password: [UInt8]

    public init(user: String, password: String) {
        self.user = Array(user.utf8)
        self.password = Array(password.utf8)
    }

    init(user: [UInt8], password: [UInt8]) {
        self.user = user
        self.password = password
    }

    /// Reads the value of a header field for Basic authentication (RFC 7617, section 2); nil where it is not that.
    init?(basic field: String) {
        let words = field.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic", let text = Data(base64Encoded: String(words[1])),
            let colon = text.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        self.init(user: Array(text[..<colon]), password: Array(text[text.index(after: colon)...]))
    }

    static func parse(_ buffer: inout [UInt8]) -> Parsed<Credentials> {
        var reader = Reader(buffer)
        guard let version = reader.byte() else { return .needMore }
        guard version == 1 else { return .malformed("credentials of version \(version)") }
        guard let user = reader.counted(), let password = reader.counted() else { return .needMore }
        // RFC 1929 counts from 1: an empty name or password is not sent.
        guard !user.isEmpty, !password.isEmpty else { return .malformed("empty credentials") }
        buffer.removeFirst(reader.offset)
        return .message(Credentials(user: user, password: password))
    }
}
