/// The request of SOCKS4. In SOCKS4a a DSTIP of 0.0.0.x, x not 0, says that a name follows.
///
///     04 CD DSTPORT DSTIP USERID… 00 [NAME… 00]
struct SOCKS4Request: Equatable {
    var request: Request
    var userID: [UInt8]

    static func parse(_ buffer: inout [UInt8]) -> Parsed<SOCKS4Request> {
        var reader = Reader(buffer)
        guard let version = reader.byte() else { return .needMore }
        guard version == 4 else { return .malformed("request of version \(version)") }
        guard let command = reader.byte(), let port = reader.port(), let address = reader.bytes(4),
            let userID = reader.terminated()
        else { return .needMore }
        var target = Address.ipv4(address)
        if address.starts(with: [0, 0, 0]), address[3] != 0 {
            guard let name = reader.terminated() else { return .needMore }
            target = .name(name)
        }
        buffer.removeFirst(reader.offset)
        let request = Request(command: Request.Command(rawValue: command), address: target, port: port)
        return .message(SOCKS4Request(request: request, userID: userID))
    }
}

/// The answer to a client of SOCKS4.
///
///     00 CD DSTPORT DSTIP
struct SOCKS4Reply: Equatable {
    /// CD, of which every value can be sent.
    struct Code: Equatable, Sendable, RawRepresentable {
        var rawValue: UInt8

        static let granted = Code(rawValue: 90)
        static let rejectedOrFailed = Code(rawValue: 91)
        static let userIDMismatch = Code(rawValue: 93)
    }

    var version: UInt8
    var code: Code
    /// DSTIP and DSTPORT; the former is 0.0.0.0 where it is no IPv4 address.
    var bound: Endpoint

    var encoded: [UInt8] {
        let address = if case .ipv4(let bytes) = bound.address { bytes } else { [UInt8](repeating: 0, count: 4) }
        return [version, code.rawValue, UInt8(bound.port >> 8), UInt8(truncatingIfNeeded: bound.port)] + address
    }
}
