extension Configuration {
    /// The proxies that the library may connect to itself: those that can come first in a chain in use.
    public var possibleFirstHops: ProxySet {
        var found = ProxySet()
        var isSeen = [Bool](repeating: false, count: lists.count)
        addFirstHops(of: 0, to: &found, &isSeen)
        for rule in rules {
            if case .proxy(let list) = rule.action { addFirstHops(of: list, to: &found, &isSeen) }
        }
        return found
    }

    /// - Parameter isSeen: for each list, whether it was visited.
    private func addFirstHops(of list: Int, to found: inout ProxySet, _ isSeen: inout [Bool]) {
        guard list < isSeen.count, !isSeen[list] else { return }
        isSeen[list] = true
        for hop in lists[list].hops {
            switch hop {
            case .proxy(let index): found.insert(index)
            case .list(let inner): addFirstHops(of: inner, to: &found, &isSeen)
            }
            if lists[list].mode == .strict { return }
        }
    }

    /// The proxies without UDP.
    public var withoutDatagrams: ProxySet {
        var set = ProxySet()
        for index in proxies.indices where !proxies[index].carriesDatagrams { set.insert(index) }
        return set
    }

    /// True if a chain of the list can be a single SOCKS5 proxy. In a longer chain the relay of the last proxy could be
    /// reached only through the other proxies.
    public func carriesDatagrams(throughList list: Int) -> Bool {
        carriesDatagrams(throughList: list, depth: 0)
    }

    private func carriesDatagrams(throughList list: Int, depth: Int) -> Bool {
        // The grammar allows no deeper nesting.
        guard depth <= 8, list < lists.count else { return false }
        switch lists[list].mode {
        case .strict, .dynamic:
            guard lists[list].hops.count == 1 else { return false }
        case .failover, .random, .roundRobin:
            guard lists[list].length == 1 else { return false }
        }
        for hop in lists[list].hops {
            switch hop {
            case .proxy(let index):
                if index < proxies.count, proxies[index].carriesDatagrams { return true }
            case .list(let inner):
                if carriesDatagrams(throughList: inner, depth: depth + 1) { return true }
            }
        }
        return false
    }
}
