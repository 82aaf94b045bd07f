/// How the proxies of a list make a chain.
public enum ChainMode: Equatable, Sendable {
    /// All of them, in order.
    case strict
    /// All that are alive, in order.
    case dynamic
    /// The first `length` that are alive: the others stand by.
    case failover
    /// `length` of them, drawn at random.
    case random
    /// `length` of them, going on where the last chain ended.
    case roundRobin
}
