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

    /// The same address with an IPv4-mapped IPv6 address turned into the IPv4 address that it stands for.
    public var unmapped: IPAddress {
        if case .v6(let address) = self, let mapped = address.mapped { return .v4(mapped) }
        return self
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

    public func write(to sink: inout some ByteSink) {
        switch self {
        case .v4(let address): address.write(to: &sink)
        case .v6(let address): address.write(to: &sink)
        }
    }
}
