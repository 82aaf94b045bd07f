extension Configuration {
    /// The proxies that connections are made to: those that stand first in some chain that the rules lead to, or that is
    /// the default.
    public var possibleFirstHops: ProxySet {
        var found = ProxySet()
        var isSeen = [Bool](repeating: false, count: lists.count)
        addFirstHops(of: 0, to: &found, &isSeen)
        for rule in rules {
            if case .proxy(let list) = rule.action { addFirstHops(of: list, to: &found, &isSeen) }
        }
        return found
    }

    /// - Parameter isSeen: whether a list was looked at, by its place.
    private func addFirstHops(of list: Int, to found: inout ProxySet, _ isSeen: inout [Bool]) {
        guard list < isSeen.count, !isSeen[list] else { return }
        isSeen[list] = true
        for hop in lists[list].hops {
            switch hop {
            case .proxy(let place): found.insert(place)
            case .list(let inner): addFirstHops(of: inner, to: &found, &isSeen)
            }
            if lists[list].mode == .strict { return }
        }
    }

    /// The proxies that no chain for datagrams leads through: they speak another protocol than SOCKS5, which alone has
    /// associations (RFC 1928 section 7).
    public var withoutDatagrams: ProxySet {
        var set = ProxySet()
        for place in proxies.indices where proxies[place].type != .socks5 { set.insert(place) }
        return set
    }

    /// Whether datagrams can go through a chain of the list: one that is a single SOCKS5 proxy. Only the last proxy of a
    /// chain has a relay, and only by way of the others could it be reached.
    public func carriesDatagrams(throughList list: Int) -> Bool {
        carriesDatagrams(throughList: list, depth: 0)
    }

    private func carriesDatagrams(throughList list: Int, depth: Int) -> Bool {
        // As deep as lists lie within lists.
        guard depth <= 8, list < lists.count else { return false }
        switch lists[list].mode {
        case .strict, .dynamic:
            guard lists[list].hops.count == 1 else { return false }
        case .failover, .random, .roundRobin:
            guard lists[list].length == 1 else { return false }
        }
        for hop in lists[list].hops {
            switch hop {
            case .proxy(let place):
                if place < proxies.count, proxies[place].type == .socks5 { return true }
            case .list(let inner):
                if carriesDatagrams(throughList: inner, depth: depth + 1) { return true }
            }
        }
        return false
    }
}
