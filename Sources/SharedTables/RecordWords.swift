import Addressing

/// An address in four words, as the tables store it.
extension SocketAddress {
    public var words: InlineArray<4, UInt64> {
        let scope = UInt64(flowInfo) << 32 | UInt64(scopeID)
        switch address {
        case .v4(let address): return [4 << 16 | UInt64(port), 0, UInt64(address.value), scope]
        case .v6(let address): return [6 << 16 | UInt64(port), address.high, address.low, scope]
        }
    }

    /// nil for invalid words.
    public init?(words: InlineArray<4, UInt64>) {
        let address: IPAddress
        switch words[0] >> 16 {
        case 4: address = .v4(IPv4Address(UInt32(truncatingIfNeeded: words[2])))
        case 6: address = .v6(IPv6Address(high: words[1], low: words[2]))
        default: return nil
        }
        self.init(
            address: address, port: UInt16(truncatingIfNeeded: words[0]),
            flowInfo: UInt32(truncatingIfNeeded: words[3] >> 32), scopeID: UInt32(truncatingIfNeeded: words[3]))
    }
}
