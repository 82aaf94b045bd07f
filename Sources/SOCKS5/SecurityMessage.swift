/// A message of RFC 1961: of the establishment of a context (section 3), of the agreement on protection (section 4), or
/// encapsulated data (section 5). Its head:
///
///     +-----+------+-----+
///     | VER | MTYP | LEN |
///     |  1  |  1   |  2  |
///     +-----+------+-----+
///
/// An abort (section 3.8) ends with MTYP.
public enum SecurityMessage {
    /// MTYP.
    public enum Kind: UInt8, Sendable {
        case token = 1
        case protection = 2
        case data = 3
    }

    /// VER and MTYP.
    public static var startLength: Int { 2 }
    public static var headLength: Int { 4 }
    /// The longest token.
    public static var longestToken: Int { 65535 }
    /// The longest message.
    public static var longest: Int { headLength + longestToken }

    private static var version: UInt8 { 1 }
    private static var abort: UInt8 { 0xff }

    /// The head of a message.
    ///
    /// - Parameter length: of the token, at most `longestToken`.
    public static func head(_ kind: Kind, length: Int) -> InlineArray<4, UInt8> {
        [version, kind.rawValue, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)]
    }

    /// Checks the first two bytes of a message.
    public static func check(version: UInt8, type: UInt8, is kind: Kind) throws(ProtocolError) {
        guard version == SecurityMessage.version else { throw .unexpectedSecurityMessage(version: version, type: type) }
        guard type != abort else { throw .securityAborted }
        guard type == kind.rawValue else { throw .unexpectedSecurityMessage(version: version, type: type) }
    }
}
