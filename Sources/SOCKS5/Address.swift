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

extension Message {
    /// Writes ATYP, ADDR and PORT of RFC 1928 section 5.
    ///
    /// An IPv4-mapped IPv6 address goes out as the IPv4 address that it stands for: the proxy connects by IPv4.
    mutating func append(_ endpoint: Endpoint) {
        switch endpoint.host {
        case .address(let address):
            switch address.unmapped {
            case .v4(let address):
                append(AddressType.ipv4.code)
                append(address.octets.span)
            case .v6(let address):
                append(AddressType.ipv6.code)
                append(address.octets.span)
            }
        case .name(let name):
            append(AddressType.domainName.code)
            append(UInt8(truncatingIfNeeded: name.count))
            append(name.bytes)
        }
        append(bigEndian: endpoint.port)
    }
}

extension Endpoint {
    /// Reads ADDR and PORT of the given type; nil when `bytes` is not exactly as long as they are.
    ///
    /// A domain name of no bytes, which some proxies answer with, counts as the address 0.0.0.0.
    init?(type: AddressType, bytes: Span<UInt8>) {
        let host: Host
        switch type {
        case .ipv4:
            guard bytes.count == 6 else { return nil }
            host = .address(.v4(IPv4Address(bytes[0], bytes[1], bytes[2], bytes[3])))
        case .ipv6:
            guard bytes.count == 18 else { return nil }
            var octets = InlineArray<16, UInt8>(repeating: 0)
            for index in 0..<16 { octets[index] = bytes[index] }
            host = .address(.v6(IPv6Address(octets: octets)))
        case .domainName:
            guard bytes.count >= 3, bytes.count == 3 + Int(bytes[0]) else { return nil }
            if let name = HostName(bytes.extracting(1..<(bytes.count - 2))) {
                host = .name(name)
            } else {
                host = .address(.v4(IPv4Address(0)))
            }
        default:
            return nil
        }
        let port = UInt16(bytes[bytes.count - 2]) << 8 | UInt16(bytes[bytes.count - 1])
        self.init(host: host, port: port)
    }
}
