import Addressing

/// The reserved addresses of names: an IPv4 network, and a /96 of unique local IPv6 addresses (RFC 4193) for programs
/// that ask for IPv6. The host part of either is the number of a name in a `NameTable`, plus one: the network's own
/// address has no name.
public struct FakeAddresses: Equatable, Sendable {
    private let network: IPv4Address
    private let mask: UInt32

    /// fd73:6f63:6b73:6661:6b65::/96: "socks" and "fake" in ASCII behind fd.
    private static var ipv6High: UInt64 { 0xfd73_6f63_6b73_6661 }
    private static var ipv6Low: UInt32 { 0x6b65_0000 }

    /// - Parameter network: an IPv4 network of at most 30 bits of prefix; another kind counts as 198.18.0.0/15.
    public init(network: IPNetwork) {
        if case .v4(let address, let mask) = network, ~mask & (~mask &+ 1) == 0, ~mask >= 3 {
            self.network = IPv4Address(address.value & mask)
            self.mask = mask
        } else {
            self.network = IPv4Address(198, 18, 0, 0)
            self.mask = 0xfffe_0000
        }
    }

    /// The number of reserved addresses: all host parts except the first and the last.
    public var capacity: UInt32 { ~mask - 1 }

    public func ipv4(number: UInt32) -> IPv4Address {
        IPv4Address(network.value | (number &+ 1) & ~mask)
    }

    public func ipv6(number: UInt32) -> IPv6Address {
        IPv6Address(high: FakeAddresses.ipv6High, low: UInt64(FakeAddresses.ipv6Low) << 32 | UInt64(number &+ 1))
    }

    /// The meaning of an address.
    public enum Meaning: Equatable, Sendable {
        /// An address like any other.
        case real
        /// The number of a name, which may be unused.
        case name(number: UInt32)
    }

    public func meaning(of address: IPAddress) -> Meaning {
        switch address.unmapped {
        case .v4(let address):
            guard address.value & mask == network.value else { return .real }
            return .name(number: (address.value & ~mask) &- 1)
        case .v6(let address):
            guard address.high == FakeAddresses.ipv6High, address.low >> 32 == UInt64(FakeAddresses.ipv6Low) else {
                return .real
            }
            return .name(number: UInt32(truncatingIfNeeded: address.low) &- 1)
        }
    }
}
