import NIOCore

/// An address in the form of SOCKS5: ATYP and ADDR (RFC 1928, section 5).
public enum Address: Hashable, Sendable {
    /// ATYP 1, four bytes.
    case ipv4([UInt8])
    /// ATYP 3, as bytes: what a client sends need not be text.
    case name([UInt8])
    /// ATYP 4, sixteen bytes.
    case ipv6([UInt8])

    /// A numeric address as such, anything else as a name.
    public init(_ text: String) {
        if let address = try? SocketAddress(ipAddress: text, port: 0) {
            self = Address(address)
        } else {
            self = .name(Array(text.utf8))
        }
    }

    /// The numeric address of a socket.
    init(_ address: SocketAddress) {
        switch address {
        case .v4(let address):
            self = .ipv4(withUnsafeBytes(of: address.address.sin_addr) { Array($0) })
        case .v6(let address):
            self = .ipv6(withUnsafeBytes(of: address.address.sin6_addr) { Array($0) })
        case .unixDomainSocket:
            self = .ipv4([0, 0, 0, 0])
        }
    }

    /// The IPv4 address that a socket of both families calls by an IPv6 address (RFC 4291, section 2.5.5.2), or itself.
    var unmapped: Address {
        guard case .ipv6(let bytes) = self, bytes.starts(with: Array(repeating: 0, count: 10) + [0xff, 0xff]) else {
            return self
        }
        return .ipv4(Array(bytes.dropFirst(12)))
    }

    public var isName: Bool { if case .name = self { true } else { false } }

    /// ATYP and ADDR.
    var encoded: [UInt8] {
        switch self {
        case .ipv4(let bytes): [1] + bytes
        case .name(let bytes): [3, UInt8(truncatingIfNeeded: bytes.count)] + bytes
        case .ipv6(let bytes): [4] + bytes
        }
    }

    /// The address whose ATYP comes next.
    static func read(from reader: inout Reader) -> Parsed<Address> {
        guard let type = reader.byte() else { return .needMore }
        switch type {
        case 1: return reader.bytes(4).map { .message(.ipv4($0)) } ?? .needMore
        case 3: return reader.counted().map { .message(.name($0)) } ?? .needMore
        case 4: return reader.bytes(16).map { .message(.ipv6($0)) } ?? .needMore
        default: return .malformed("address type \(type)")
        }
    }
}

extension Address: CustomStringConvertible {
    public var description: String {
        switch self {
        case .ipv4(let bytes), .ipv6(let bytes):
            (try? SocketAddress(packedIPAddress: ByteBuffer(bytes: bytes), port: 0).ipAddress) ?? "\(bytes)"
        case .name(let bytes): String(decoding: bytes, as: UTF8.self)
        }
    }
}
