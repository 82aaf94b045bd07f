import Addressing

/// Where a connection or a datagram to a name goes, of which no address is known here.
public enum NameRoute: Equatable, Sendable {
    /// To an address of the name, which this machine has to find out, without a proxy.
    case direct
    /// Through a chain of the list of this place in `Configuration.lists`, whose last proxy is asked for the name.
    case proxy(list: Int)
    case refuse(Refusal)
}

/// What becomes of a name that a program looks up.
public enum LookupRoute: Equatable, Sendable {
    /// Whatever the program does with the name goes around the proxy: this machine resolves it.
    case local
    /// Whatever the program does with the name does not go around the proxy: a reserved address stands for it.
    case proxy
    /// It depends on what is not known yet, so that a reserved address has to keep the name.
    case undecided
    /// No rule speaks of this name: as `dns` says.
    case byMode
}

extension Configuration {
    /// Decides on a stream or a datagram to a name that a reserved address stands for. Networks match no name.
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
        // Only the proxy knows an address for the name, so that `udp direct` cannot send there either.
        if command == .udp, udp != .associate { return Decision(.refuse(.udpBlocked), .udpPolicy) }
        return Decision(.proxy(list: 0), .defaultChain)
    }

    /// Decides on a name that a program looks up, before it connects or sends to it.
    ///
    /// - Parameters:
    ///   - port: nil where the program does not say it.
    ///   - transport: nil where the program does not say it.
    public func lookup(of name: Span<UInt8>, port: UInt16?, transport: Transport?) -> LookupRoute {
        lookupDecision(of: name, port: port, transport: transport).outcome
    }

    /// `lookup(of:port:transport:)` with its reason.
    ///
    /// Rules that need a port or a protocol that is not known may match or not, and so may all of these before the first
    /// that surely does. If all that may happen is the same, it is known. If not, the name has to be kept, provided that
    /// one of these rules speaks of names: where all look at ports and protocols alone, they can decide as well
    /// on an address, and `dns` says what stands for the name. So it does where nothing but a rule without names sends
    /// everything to a proxy, or blocks it.
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
