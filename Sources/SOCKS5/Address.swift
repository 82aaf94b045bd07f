import Addressing

/// The type of an address on the wire (RFC 1928 section 5, ATYP).
public struct AddressType: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var ipv4: AddressType { AddressType(code: 1) }
    public static var domainName: AddressType { AddressType(code: 3) }
    public static var ipv6: AddressType { AddressType(code: 4) }
}

extension ByteSink {
    /// Writes ATYP, ADDR and PORT of RFC 1928 section 5.
    mutating func append(_ endpoint: Endpoint) {
        switch endpoint.host {
        case .address(let address):
            append(address, port: endpoint.port)
        case .name(let name):
            append(AddressType.domainName.code)
            append(UInt8(truncatingIfNeeded: name.count))
            append(name.bytes)
            append(bigEndian: endpoint.port)
        }
    }

    /// Writes ATYP, ADDR and PORT of RFC 1928 section 5.
    ///
    /// An IPv4-mapped IPv6 address is written as IPv4, because the proxy reaches it by IPv4.
    mutating func append(_ address: IPAddress, port: UInt16) {
        switch address.unmapped {
        case .v4(let address):
            append(AddressType.ipv4.code)
            append(address.octets.span)
        case .v6(let address):
            append(AddressType.ipv6.code)
            append(address.octets.span)
        }
        append(bigEndian: port)
    }

    /// Writes `number` in network byte order.
    private mutating func append(bigEndian number: UInt16) {
        append(UInt8(truncatingIfNeeded: number >> 8))
        append(UInt8(truncatingIfNeeded: number))
    }
}

extension IPAddress {
    /// Reads ADDR of a numeric type; nil for another type, or a wrong length.
    init?(type: AddressType, octets: Span<UInt8>) {
        switch type {
        case .ipv4:
            guard octets.count == 4 else { return nil }
            self = .v4(IPv4Address(octets[0], octets[1], octets[2], octets[3]))
        case .ipv6:
            guard octets.count == 16 else { return nil }
            self = .v6(IPv6Address(octets: InlineArray { octets[$0] }))
        default:
            return nil
        }
    }

    /// 0.0.0.0, the meaning of the empty domain name that some proxies answer with.
    static var ofEmptyName: IPAddress { .v4(IPv4Address(0)) }
}

extension Endpoint {
    /// Reads ADDR and PORT of the given type; nil for a wrong length.
    init?(type: AddressType, bytes: Span<UInt8>) {
        guard let port = UInt16(bigEndian: bytes.extracting(last: 2)) else { return nil }
        let address = bytes.extracting(droppingLast: 2)
        let host: Host
        switch type {
        case .ipv4, .ipv6:
            guard let address = IPAddress(type: type, octets: address) else { return nil }
            host = .address(address)
        case .domainName:
            guard address.count >= 1, address.count == 1 + Int(address[0]) else { return nil }
            host = HostName(address.extracting(droppingFirst: 1)).map(Host.name) ?? .address(.ofEmptyName)
        default:
            return nil
        }
        self.init(host: host, port: port)
    }
}

extension UInt16 {
    /// Reads a number in network byte order; nil unless there are two bytes.
    init?(bigEndian bytes: Span<UInt8>) {
        guard bytes.count == 2 else { return nil }
        self = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }
}
