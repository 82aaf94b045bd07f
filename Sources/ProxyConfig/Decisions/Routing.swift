import Addressing

/// Where a connection or a datagram goes.
public enum Route: Equatable, Sendable {
    /// To the address that the program named, without a proxy.
    case direct
    /// Through a chain of the list of this place in `Configuration.lists`, whose last proxy is asked for this: what the
    /// program named, or what `dnat` puts in its place, an IPv4-mapped address as IPv4.
    case proxy(list: Int, address: IPAddress, port: UInt16)
    /// Nowhere.
    case refuse(Refusal)
}

/// Why a connection is not made at all, or a datagram not sent.
public enum Refusal: Equatable, Sendable {
    /// 0.0.0.0 or ::, which means this machine, and no proxy could mean the same by it.
    case unspecifiedAddress
    /// An address that is reserved for names, and stands for none.
    case unknownName
    /// A datagram that `udp block` keeps from the proxy.
    case udpBlocked
    /// A rule says `block`.
    case blocked(BlockReason)

    /// What the program is told.
    public var error: RefusalError {
        switch self {
        case .unspecifiedAddress, .blocked(.refused): .connectionRefused
        case .unknownName, .blocked(.unreachable): .hostUnreachable
        case .udpBlocked: .networkUnreachable
        }
    }
}

/// The error of a program whose connection or datagram is refused.
public enum RefusalError: Equatable, Sendable {
    /// ECONNREFUSED
    case connectionRefused
    /// EHOSTUNREACH
    case hostUnreachable
    /// ENETUNREACH
    case networkUnreachable
}

// Nothing here allocates: decisions are made in signal handlers, too.

extension Configuration {
    /// Decides on a stream to an address of which no name is known.
    public func route(to named: IPAddress, port: UInt16) -> Route {
        route(to: named, port: port, name: Span())
    }

    /// Decides on a stream to an address.
    ///
    /// That the first proxy of a chain is itself reached directly is not decided here: its name may have to be looked
    /// up.
    /// - Parameter name: what the program looked the address up by; empty where that is not known.
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

    /// What no rule can change.
    func decisionBeforeRules(on named: IPAddress) -> Decision<Route>? {
        // Before everything else, as in proxychains: no localnet makes this a place that a proxy could reach.
        if named.isUnspecified {
            return Decision(loopback == .direct ? .direct : .refuse(.unspecifiedAddress), .unspecifiedAddress)
        }
        // `dnat`, `localnet` and rules speak of addresses that programs mean.
        if reservesAddresses, fakeNetwork.contains(named) {
            return Decision(.refuse(.unknownName), .reservedAddress)
        }
        return nil
    }

    /// What the rule of this place says of an address.
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

    /// What is decided on an address that no rule speaks of.
    func decisionWithoutRules(to named: IPAddress, port: UInt16) -> Decision<Route> {
        let target = translated(named.unmapped, port: port)

        // A match is looked for with the translated destination, but it is the named one that is then
        // connected to: proxychains does it like this.
        if let local = localNetwork(of: target.address, port: target.port) {
            return Decision(.direct, .localNetwork(local), translation: target.translation)
        }

        // What was translated goes to the proxy even if it became a loopback address: that of the proxy is
        // meant, and connecting to the named address would go around the proxy unasked.
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

    /// The first rule that surely matches.
    func firstRule(_ query: RuleQuery, name: Span<UInt8>) -> Int? {
        guard !rules.isEmpty else { return nil }
        var search = RuleSearch(rules, query)
        ruleIndex.run(&search, name: withoutFinalDot(name))
        return search.limit < rules.count ? search.limit : nil
    }

    /// A destination, or what `dnat` puts in its place. A translation of that very port goes before one of every port,
    /// and the first of a kind before later ones.
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
