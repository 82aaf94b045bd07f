/// Proxies that make chains together.
public struct ProxyList: Equatable, Sendable {
    /// Empty for the default chain, `[ProxyList]`.
    public var name: [UInt8]
    public var mode: ChainMode
    /// Number of hops in a chain, in the modes `failover`, `random` and `roundRobin` (`chain_len`). 1 or more.
    public var length: Int
    /// In the order of the file.
    public var hops: [Hop]

    public init(name: [UInt8] = [], mode: ChainMode = .strict, length: Int = 1, hops: [Hop] = []) {
        self.name = name
        self.mode = mode
        self.length = length
        self.hops = hops
    }

    /// An entry of a list.
    public enum Hop: Equatable, Sendable {
        /// The proxy at this index in `Configuration.proxies`.
        case proxy(Int)
        /// A chain of the list at this index in `Configuration.lists` (`list NAME`). No list leads back to itself.
        case list(Int)
    }
}
