/// The state outside the configuration on which the choice of a chain depends.
public protocol ChainCircumstances {
    /// The proxies that failed recently: used only if there are no others.
    var dead: ProxySet { get }
    /// The proxies that must not be used, because this connection has tried them or cannot use them.
    var excluded: ProxySet { get }

    /// A uniformly distributed number, 0 to `bound - 1`; `bound` is 1 or more.
    mutating func random(below bound: Int) -> Int

    /// The number of hops by which earlier chains have advanced the list (`roundRobin`).
    func turn(of list: Int) -> UInt64
    /// Advances the list; false if another chain did so first.
    mutating func takeTurn(of list: Int, from turn: UInt64, to next: UInt64) -> Bool
}
