/// The answer to a request: REP, BND.ADDR and BND.PORT (RFC 1928, section 6).
///
///     05 REP 00 ATYP BND.ADDR… BND.PORT
struct Reply: Equatable {
    /// REP, of which every value can be sent.
    struct Code: Equatable, Sendable, RawRepresentable {
        var rawValue: UInt8

        static let succeeded = Code(rawValue: 0)
        static let generalFailure = Code(rawValue: 1)
        static let networkUnreachable = Code(rawValue: 3)
        static let hostUnreachable = Code(rawValue: 4)
        static let connectionRefused = Code(rawValue: 5)
        static let timeToLiveExpired = Code(rawValue: 6)
        static let commandNotSupported = Code(rawValue: 7)
        static let addressTypeNotSupported = Code(rawValue: 8)
    }

    var code: Code
    /// BND.ADDR and BND.PORT.
    var bound: Endpoint

    var encoded: [UInt8] { [5, code.rawValue, 0] + bound.encoded }
}
