/// An address of either family.
public enum IPAddress: Equatable, Sendable {
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// Reads either family's text, as inet_pton(3) does: no brackets, no scope.
    public init?(parsing text: Span<UInt8>) {
        if let address = IPv4Address(parsing: text) {
            self = .v4(address)
        } else if let address = IPv6Address(parsing: text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// The same address, with an IPv4-mapped IPv6 address as IPv4.
    public var unmapped: IPAddress {
        if case .v6(let address) = self, let mapped = address.mapped { return .v4(mapped) }
        return self
    }

    /// The same address in the form of IPv6: an IPv4 address is mapped.
    public var mapped: IPv6Address {
        switch self {
        case .v4(let address): IPv6Address(mapping: address)
        case .v6(let address): address
        }
    }

    public var isLoopback: Bool {
        switch unmapped {
        case .v4(let address): address.isLoopback
        case .v6(let address): address.isLoopback
        }
    }

    public var isUnspecified: Bool {
        switch unmapped {
        case .v4(let address): address.isUnspecified
        case .v6(let address): address.isUnspecified
        }
    }

    /// Whether the address has no global meaning: private (RFC 1918, RFC 4193), link-local (RFC 3927, RFC 4291 section
    /// 2.5.6) or loopback.
    public var isPrivate: Bool {
        switch unmapped {
        case .v4(let address):
            let value = address.value
            return address.isLoopback || value >> 24 == 10 || value >> 20 == 0xac1 || value >> 16 == 0xc0a8
                || value >> 16 == 0xa9fe
        case .v6(let address):
            return address.isLoopback || address.high >> 57 == 0x7e || address.isLinkLocal
        }
    }

    /// 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291 section 2.7).
    public var isMulticast: Bool {
        switch unmapped {
        case .v4(let address): address.value >> 28 == 0xe
        case .v6(let address): address.high >> 56 == 0xff
        }
    }

    /// 255.255.255.255 (RFC 919).
    public var isLimitedBroadcast: Bool { unmapped == .v4(IPv4Address(255, 255, 255, 255)) }

    public func write(to sink: inout some ByteSink) {
        switch self {
        case .v4(let address): address.write(to: &sink)
        case .v6(let address): address.write(to: &sink)
        }
    }
}
