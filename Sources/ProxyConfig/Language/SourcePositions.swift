/// Where the parts of a configuration stand in its text.
struct SourcePositions: Equatable, Sendable {
    /// Those of the parts that a configuration has several of, in its order.
    var rules: [SourcePosition] = []
    var localNetworks: [SourcePosition] = []
    var translations: [SourcePosition] = []
    var lists = [ListPositions()]

    /// The last line with each of the keywords that decide where something goes; nil where there is none.
    var loopback: SourcePosition?
    var udp: SourcePosition?
    var dns: SourcePosition?
    var listeners: SourcePosition?
    var fakeNetwork: SourcePosition?

    /// Where a list of proxies, its keywords and its entries stand.
    struct ListPositions: Equatable, Sendable {
        /// Its heading; nil for a list without one.
        var heading: SourcePosition?
        var mode: SourcePosition?
        var length: SourcePosition?
        var hops: [SourcePosition] = []
    }
}

extension SourcePositions {
    /// The position of the deciding line; nil for a default.
    func position(of reason: Reason) -> SourcePosition? {
        switch reason {
        case .rule(let index): return rules.at(index)
        case .localNetwork(let index): return localNetworks.at(index)
        case .unspecifiedAddress, .loopback: return loopback
        case .reservedAddress: return fakeNetwork
        case .multicast: return nil
        case .udpPolicy: return udp
        case .listenerPolicy: return listeners
        case .dnsMode: return dns
        case .defaultChain: return lists.at(0)?.heading
        }
    }
}

extension ParsedConfiguration {
    /// The place in the text of what decided; nil for what the text does not say.
    public func position(of reason: Reason) -> SourcePosition? { positions.position(of: reason) }

    /// The place in the text of a translation that took part (`Decision.translation`).
    public func position(ofTranslation index: Int) -> SourcePosition? {
        positions.translations.at(index)
    }

    /// The place in the text of a hop of a list.
    public func position(ofHop hop: Int, inList list: Int) -> SourcePosition? {
        positions.lists.at(list)?.hops.at(hop)
    }
}

extension Array {
    /// The element with this index; nil if there is none.
    func at(_ index: Int) -> Element? {
        index >= 0 && index < count ? self[index] : nil
    }
}
