/// An address and a port: DST.ADDR and DST.PORT, or BND.ADDR and BND.PORT (RFC 1928, sections 4, 6 and 7).
public struct Endpoint: Hashable, Sendable {
    public var address: Address
    public var port: UInt16

    public init(_ address: Address, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `host:port`, an IPv6 address in brackets (RFC 3986, section 3.2); nil where it is not that.
    init?(authority: String) {
        guard let colon = authority.lastIndex(of: ":"), let port = UInt16(authority[authority.index(after: colon)...])
        else { return nil }
        var host = authority[..<colon]
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if isBracketed { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, isBracketed == host.contains(":") else { return nil }
        self.init(Address(String(host)), port: port)
    }

    /// ATYP, ADDR and PORT.
    var encoded: [UInt8] { address.encoded + [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)] }

    /// The endpoint whose ATYP comes next.
    static func read(from reader: inout Reader) -> Parsed<Endpoint> {
        switch Address.read(from: &reader) {
        case .needMore: .needMore
        case .malformed(let reason): .malformed(reason)
        case .message(let address): reader.port().map { .message(Endpoint(address, port: $0)) } ?? .needMore
        }
    }
}

extension Endpoint: CustomStringConvertible {
    public var description: String { if case .ipv6 = address { "[\(address)]:\(port)" } else { "\(address):\(port)" } }
}
