import Addressing

// Nothing here allocates: decisions are made in signal handlers, too.

extension Configuration {
    /// Decides on a stream to an address without a known name.
    public func route(to named: IPAddress, port: UInt16) -> Route {
        route(to: named, port: port, name: Span())
    }

    /// Decides on a stream to an address.
    ///
    /// Does not detect connections to a proxy itself, which go direct: the proxy's name may need a lookup first.
    /// - Parameter name: the name that the program looked up to get the address; empty if unknown.
    public func route(to named: IPAddress, port: UInt16, name: Span<UInt8>) -> Route {
        streamDecision(to: named, port: port, name: name).outcome
    }

    /// `route(to:port:name:)` with its reason.
    public func streamDecision(to named: IPAddress, port: UInt16, name: Span<UInt8>) -> Decision<Route> {
        if let decision = decisionBeforeRules(on: named) { return decision }
        if let rule = firstRule(address: named, port: port, name: name, command: .connect) {
            return decision(of: rule, to: named, port: port)
        }
        return decisionWithoutRules(to: named, port: port)
    }

    /// Decisions that rules cannot change.
    func decisionBeforeRules(on named: IPAddress) -> Decision<Route>? {
        // Before everything else, as in proxychains: no localnet makes this address reachable by a proxy.
        if named.isUnspecified {
            return Decision(loopback == .direct ? .direct : .refuse(.unspecifiedAddress), .unspecifiedAddress)
        }
        // A program that uses a reserved address means a name: `dnat`, `localnet` and rules do not apply to it.
        if reservesAddresses, fakeNetwork.contains(named) {
            return Decision(.refuse(.unknownName), .reservedAddress)
        }
        return nil
    }

    /// The decision of the rule with this index on an address.
    func decision(of rule: Int, to named: IPAddress, port: UInt16) -> Decision<Route> {
        switch rules[rule].action {
        case .direct: return Decision(.direct, .rule(rule))
        case .block(let reason): return Decision(.refuse(.blocked(reason)), .rule(rule))
        case .proxy(let list):
            let target = translated(named.unmapped, port: port)
            return Decision(
                .proxy(list: list, address: target.address, port: target.port), .rule(rule),
                translation: target.translation)
        }
    }

    /// The decision on an address that no rule matches.
    func decisionWithoutRules(to named: IPAddress, port: UInt16) -> Decision<Route> {
        let target = translated(named.unmapped, port: port)

        // Compares the translated destination, but connects to the original one, as proxychains does.
        if let local = localNetwork(of: target.address, port: target.port) {
            return Decision(.direct, .localNetwork(local), translation: target.translation)
        }

        // A translated destination goes to the proxy even if it is a loopback address: it means the proxy's loopback,
        // and connecting to the original address would go direct without a rule.
        if target.translation == nil, target.address.isLoopback, loopback == .direct {
            return Decision(.direct, .loopback)
        }
        return Decision(
            .proxy(list: 0, address: target.address, port: target.port), .defaultChain,
            translation: target.translation)
    }

    /// The first rule that matches an address.
    func firstRule(address: IPAddress, port: UInt16, name: Span<UInt8>, command: Rule.Command) -> Int? {
        firstRule(RuleQuery(address: address.unmapped, port: port, command: command), name: name)
    }

    /// The first rule that certainly matches.
    func firstRule(_ query: RuleQuery, name: Span<UInt8>) -> Int? {
        guard !rules.isEmpty else { return nil }
        var search = RuleSearch(rules, query)
        ruleIndex.run(&search, name: withoutFinalDot(name))
        return search.limit < rules.count ? search.limit : nil
    }

    /// The destination after `dnat`. A translation with that port goes before one for every port, an earlier one before
    /// a later one.
    private func translated(
        _ named: IPAddress, port: UInt16
    ) -> (address: IPAddress, port: UInt16, translation: Int?) {
        guard case .v4(let address) = named else { return (named, port, nil) }
        var match: Int?
        for index in translations.indices where translations[index].original == address {
            if translations[index].originalPort == port {
                match = index
                break
            }
            if translations[index].originalPort == nil, match == nil { match = index }
        }
        guard let match else { return (named, port, nil) }
        return (.v4(translations[match].replacement), translations[match].replacementPort ?? port, match)
    }

    private func localNetwork(of address: IPAddress, port: UInt16) -> Int? {
        for index in localNetworks.indices {
            if let only = localNetworks[index].port, only != port { continue }
            if localNetworks[index].network.contains(address) { return index }
        }
        return nil
    }
}
