import Addressing

/// A block of addresses that go direct (`localnet`).
public struct LocalNetwork: Equatable, Sendable {
    public var network: IPNetwork
    /// The matching port; nil for every port.
    public var port: UInt16?

    public init(network: IPNetwork, port: UInt16?) {
        self.network = network
        self.port = port
    }
}
