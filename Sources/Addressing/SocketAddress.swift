/// What a `sockaddr` of either Internet family says, every field of it.
public struct SocketAddress: Equatable, Sendable {
    public var address: IPAddress
    /// In host byte order.
    public var port: UInt16
    /// `sin6_flowinfo`, as the program gave it; 0 for IPv4.
    public var flowInfo: UInt32
    /// `sin6_scope_id`; 0 for IPv4.
    public var scopeID: UInt32

    /// Whether it is an address of a link of this machine, by which a proxy could mean none of its own links.
    public var namesLink: Bool {
        guard case .v6(let address) = address else { return false }
        return scopeID != 0 && address.isLinkLocal
    }

    public init(address: IPAddress, port: UInt16, flowInfo: UInt32 = 0, scopeID: UInt32 = 0) {
        self.address = address
        self.port = port
        self.flowInfo = flowInfo
        self.scopeID = scopeID
    }
}
