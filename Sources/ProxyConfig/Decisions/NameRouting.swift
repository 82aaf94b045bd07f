extension Configuration {
    /// Decides on a stream or a datagram to the name of a reserved address. `net` matches no name.
    public func route(toName name: Span<UInt8>, port: UInt16, command: Rule.Command) -> NameRoute {
        nameDecision(name, port: port, command: command).outcome
    }

    /// `route(toName:port:command:)` with its reason.
    public func nameDecision(
        _ name: Span<UInt8>, port: UInt16, command: Rule.Command
    ) -> Decision<NameRoute> {
        let rule = firstRule(RuleQuery(address: nil, port: port, command: command), name: name)
        if let rule {
            switch rules[rule].action {
            case .direct: return Decision(.direct, .rule(rule))
            case .block(let reason): return Decision(.refuse(.blocked(reason)), .rule(rule))
            case .proxy(let list):
                if command != .udp || udp == .associate || rules[rule].criteria.namesDatagrams {
                    return Decision(.proxy(list: list), .rule(rule))
                }
            }
        }
        // Only the proxy knows an address of the name, so that `udp direct` cannot send to it either.
        if command == .udp, udp != .associate { return Decision(.refuse(.udpBlocked), .udpPolicy) }
        return Decision(.proxy(list: 0), .defaultChain)
    }

    /// Decides on a name that a program looks up, before it connects or sends to it.
    ///
    /// - Parameters:
    ///   - port: nil if the program does not give it.
    ///   - transport: nil if the program does not give it.
    public func lookup(of name: Span<UInt8>, port: UInt16?, transport: Transport?) -> LookupRoute {
        lookupDecision(of: name, port: port, transport: transport).outcome
    }

    /// `lookup(of:port:transport:)` with its reason.
    ///
    /// Without port or protocol some rules may or may not match. The possible rules are those, up to the first that
    /// certainly matches. If all of them agree, the decision is certain. If they differ and one has `host`, a reserved
    /// address keeps the name (`undecided`). If they differ and none has `host`, they can decide on an address later,
    /// and `dns` decides about the name. `dns` also decides if only a rule without `host` sends everything to a proxy,
    /// or blocks it.
    public func lookupDecision(
        of name: Span<UInt8>, port: UInt16?, transport: Transport?
    ) -> Decision<LookupRoute> {
        let command: Rule.Command? = transport.map { $0 == .udp ? .udp : .connect }
        var search = RuleSearch(rules, RuleQuery(address: nil, port: port, command: command))
        let name = withoutFinalDot(name)
        ruleIndex.run(&search, name: name)
        search.possible = PossibleRules()
        ruleIndex.run(&search, name: name)
        guard var possible = search.possible else { return Decision(.byMode, .dnsMode) }
        let sure = search.limit < rules.count ? search.limit : nil
        if let sure { possible.add(rules[sure]) } else { possible.haveOther = true }

        let reason = sure.map(Reason.rule) ?? .defaultChain
        if !possible.haveOther { return Decision(.local, reason) }
        guard possible.nameHosts else { return Decision(.byMode, .dnsMode) }
        if possible.haveDirect || sure == nil { return Decision(.undecided, reason) }
        return Decision(.proxy, reason)
    }
}
