/// A set of proxies, as indices of `Configuration.proxies`. Stored inline, with a fixed size.
public struct ProxySet: Equatable, Sendable {
    /// The maximum number of proxies of a configuration.
    public static var capacity: Int { 512 }

    /// A bit for each index.
    public private(set) var words = InlineArray<8, UInt64>(repeating: 0)

    public init() {}

    public init(words: InlineArray<8, UInt64>) {
        self.words = words
    }

    public func contains(_ index: Int) -> Bool {
        guard index >= 0, index < ProxySet.capacity else { return false }
        return words[index / 64] >> UInt64(index % 64) & 1 != 0
    }

    /// An index that no configuration has is left out.
    public mutating func insert(_ index: Int) {
        guard index >= 0, index < ProxySet.capacity else { return }
        words[index / 64] |= 1 << UInt64(index % 64)
    }

    public var isEmpty: Bool {
        for index in words.indices where words[index] != 0 { return false }
        return true
    }

    public static func == (left: ProxySet, right: ProxySet) -> Bool {
        for index in left.words.indices where left.words[index] != right.words[index] { return false }
        return true
    }
}
