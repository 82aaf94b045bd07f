import Addressing

/// The address that a program connected a socket to: what `getpeername` answers, though the kernel's peer is the
/// proxy. It keeps the family and every field of the program's `sockaddr`.
public struct ApparentPeer: Equatable, Sendable {
    public var address: IPAddress
    /// In host byte order.
    public var port: UInt16
    /// `sin6_flowinfo`, as the program gave it; 0 for IPv4.
    public var flowInfo: UInt32
    /// `sin6_scope_id`; 0 for IPv4.
    public var scopeID: UInt32

    public init(address: IPAddress, port: UInt16, flowInfo: UInt32 = 0, scopeID: UInt32 = 0) {
        self.address = address
        self.port = port
        self.flowInfo = flowInfo
        self.scopeID = scopeID
    }

    /// The peer in four words, as the table stores it.
    var words: InlineArray<4, UInt64> {
        let scope = UInt64(flowInfo) << 32 | UInt64(scopeID)
        switch address {
        case .v4(let address): return [4 << 16 | UInt64(port), 0, UInt64(address.value), scope]
        case .v6(let address): return [6 << 16 | UInt64(port), address.high, address.low, scope]
        }
    }

    /// nil for words that no peer makes.
    init?(words: InlineArray<4, UInt64>) {
        switch words[0] >> 16 {
        case 4: address = .v4(IPv4Address(UInt32(truncatingIfNeeded: words[2])))
        case 6: address = .v6(IPv6Address(high: words[1], low: words[2]))
        default: return nil
        }
        port = UInt16(truncatingIfNeeded: words[0])
        flowInfo = UInt32(truncatingIfNeeded: words[3] >> 32)
        scopeID = UInt32(truncatingIfNeeded: words[3])
    }
}
