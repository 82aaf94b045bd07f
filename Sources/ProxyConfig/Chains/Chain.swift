/// The proxies of one connection, in order, as indices of `Configuration.proxies`. Stored inline, with a fixed size.
public struct Chain: Sendable {
    /// The maximum number of hops.
    public static var capacity: Int { 32 }

    private var indices = InlineArray<32, UInt16>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    /// Appends a hop; false if the chain is full.
    public mutating func append(_ index: Int) -> Bool {
        guard count < Chain.capacity, let index = UInt16(exactly: index) else { return false }
        indices[count] = index
        count += 1
        return true
    }

    /// The index of a hop's proxy; nil after the last hop.
    public subscript(hop: Int) -> Int? {
        guard hop >= 0, hop < count else { return nil }
        return Int(indices[hop])
    }
}
