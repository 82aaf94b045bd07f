import Addressing

extension Configuration {
    /// Decides on a datagram to an address of which no name is known.
    public func routeDatagram(to named: IPAddress, port: UInt16) -> Route {
        routeDatagram(to: named, port: port, name: Span())
    }

    /// Decides on a datagram to an address. Allocates nothing.
    ///
    /// What a rule says counts, but for `proxy` where the rule does not speak of datagrams: then `udp` says whether they
    /// go through the proxy. Without a rule it goes where a stream to that address would go, `dnat` and `localnet`
    /// included; but what would go through the proxy does so only if `udp` says `associate`. With `udp direct` nothing is
    /// refused but addresses that are reserved for names. Multicast and limited broadcast, which mean the network that
    /// this machine is on, are direct unless `udp` says `block`, or `dnat` names them; those of a `remote_dns_subnet` are
    /// not: there are only names in it.
    /// - Parameter name: what the program looked the address up by; empty where that is not known.
    public func routeDatagram(to named: IPAddress, port: UInt16, name: Span<UInt8>) -> Route {
        datagramDecision(to: named, port: port, name: name).outcome
    }

    /// `routeDatagram(to:port:name:)` with its reason.
    public func datagramDecision(to named: IPAddress, port: UInt16, name: Span<UInt8>) -> Decision<Route> {
        if let decision = decisionBeforeRules(on: named) { return apply(udp, to: decision) }
        if let rule = firstRule(address: named, port: port, name: name, command: .udp) {
            let decision = decision(of: rule, to: named, port: port)
            guard case .proxy = decision.outcome, !rules[rule].criteria.namesDatagrams else { return decision }
            return apply(udp, to: decision)
        }
        let decision = decisionWithoutRules(to: named, port: port)
        if udp == .associate, decision.reason == .defaultChain, decision.translation == nil,
            named.isMulticast || named.isLimitedBroadcast
        {
            return Decision(.direct, .multicast)
        }
        return apply(udp, to: decision)
    }

    /// What `udp` makes of what is decided on a stream.
    private func apply(_ policy: UDPPolicy, to decision: Decision<Route>) -> Decision<Route> {
        switch policy {
        case .associate:
            return decision
        case .block:
            guard case .proxy = decision.outcome else { return decision }
            return Decision(.refuse(.udpBlocked), .udpPolicy, translation: decision.translation)
        case .direct:
            if decision.outcome == .direct || decision.outcome == .refuse(.unknownName) { return decision }
            return Decision(.direct, .udpPolicy)
        }
    }

    /// Whether a datagram to this address and port is a question to a name server that is answered here, as `dns` says.
    ///
    /// So are questions to loopback and local addresses, because a name server there would ask on outside the proxy; but
    /// not those to a `localnet` that names port 53 itself, which is a wish for that very server. Multicast is none:
    /// such questions are for the neighbours (RFC 6762).
    public func answersNames(at address: IPAddress, port: UInt16) -> Bool {
        guard port == nameServerPort, dns != .local else { return false }
        for local in localNetworks where local.port == nameServerPort && local.network.contains(address) {
            return false
        }
        if reservesAddresses, fakeNetwork.contains(address) { return true }
        return !address.isMulticast
    }
}
