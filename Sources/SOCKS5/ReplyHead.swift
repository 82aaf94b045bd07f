import Addressing

/// The proxy's answer to a request (RFC 1928 section 6).
///
///     +-----+-----+-------+------+----------+----------+
///     | VER | REP |  RSV  | ATYP | BND.ADDR | BND.PORT |
///     |  1  |  1  | X'00' |  1   | Variable |    2     |
///     +-----+-----+-------+------+----------+----------+
///
/// It is read in two parts: five bytes up to the first byte of BND.ADDR, which is the length of a domain name, and the
/// rest.
struct ReplyHead {
    static var length: Int { 5 }

    let type: AddressType
    /// The first byte of BND.ADDR.
    let firstByte: UInt8

    /// - Throws: `rejected` for every code except success, whatever follows it.
    init(_ bytes: Span<UInt8>) throws(ProtocolError) {
        guard bytes.count == ReplyHead.length else { throw .unexpectedLength(bytes.count) }
        guard bytes[0] == protocolVersion else { throw .wrongVersion(bytes[0]) }
        let code = ReplyCode(code: bytes[1])
        guard code == .succeeded else { throw .rejected(code) }
        guard let head = ReplyHead(type: AddressType(code: bytes[3]), firstByte: bytes[4]) else {
            throw .unknownAddressType(bytes[3])
        }
        self = head
    }

    /// nil for an unknown type.
    init?(type: AddressType, firstByte: UInt8) {
        guard type == .ipv4 || type == .ipv6 || type == .domainName else { return nil }
        self.type = type
        self.firstByte = firstByte
    }

    /// The number of bytes that follow: 5, 17, or 2 to 257.
    var remainingLength: Int {
        switch type {
        case .ipv4: 4 - 1 + 2
        case .ipv6: 16 - 1 + 2
        default: Int(firstByte) + 2
        }
    }

    /// BND.ADDR and BND.PORT; `rest` has all bytes except the first.
    func boundAddress(rest: Span<UInt8>) throws(ProtocolError) -> Endpoint {
        var address = Message()
        address.append(firstByte)
        address.append(rest)
        guard let endpoint = Endpoint(type: type, bytes: address.bytes) else {
            throw .unexpectedLength(rest.count)
        }
        return endpoint
    }
}
