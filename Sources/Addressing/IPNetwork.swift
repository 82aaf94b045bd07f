/// A block of addresses: those equal to `address` in every bit of the mask.
///
/// An IPv4 mask may have holes, as proxychains' dotted masks may.
public enum IPNetwork: Equatable, Sendable {
    case v4(address: IPv4Address, mask: UInt32)
    case v6(address: IPv6Address, prefixLength: UInt8)

    /// The block of an IPv4 prefix of 0 to 32 bits; longer prefixes count as 32.
    public init(_ address: IPv4Address, prefixLength: UInt8) {
        self = .v4(address: address, mask: prefixLength == 0 ? 0 : UInt32.max << UInt32(32 - min(prefixLength, 32)))
    }

    /// The block of an IPv6 prefix of 0 to 128 bits; longer prefixes count as 128.
    public init(_ address: IPv6Address, prefixLength: UInt8) {
        self = .v6(address: address, prefixLength: min(prefixLength, 128))
    }

    /// Whether `address` lies in the block. An IPv4-mapped address counts as IPv4.
    public func contains(_ address: IPAddress) -> Bool {
        switch (self, address.unmapped) {
        case (.v4(let network, let mask), .v4(let address)):
            return (network.value ^ address.value) & mask == 0
        case (.v6(let network, let prefixLength), .v6(let address)):
            let highBits = min(UInt64(prefixLength), 64)
            let lowBits = UInt64(prefixLength) - highBits
            let highMask = highBits == 0 ? 0 : UInt64.max << (64 - highBits)
            let lowMask = lowBits == 0 ? 0 : UInt64.max << (64 - lowBits)
            return (network.high ^ address.high) & highMask == 0 && (network.low ^ address.low) & lowMask == 0
        case (.v4, .v6), (.v6, .v4):
            return false
        }
    }
}
