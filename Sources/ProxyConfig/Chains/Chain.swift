/// The proxies of one connection, in order, as indices of `Configuration.proxies`. Stored inline, with a fixed size.
public struct Chain: Sendable {
    /// The maximum number of hops.
    public static var capacity: Int { 32 }

    private var places = InlineArray<32, UInt16>(repeating: 0)
    public private(set) var count = 0

    public init() {}

    /// Appends a hop; false if the chain is full.
    public mutating func append(_ place: Int) -> Bool {
        guard count < Chain.capacity, let place = UInt16(exactly: place) else { return false }
        places[count] = place
        count += 1
        return true
    }

    /// The index of a hop's proxy; nil after the last hop.
    public subscript(hop: Int) -> Int? {
        guard hop >= 0, hop < count else { return nil }
        return Int(places[hop])
    }
}
