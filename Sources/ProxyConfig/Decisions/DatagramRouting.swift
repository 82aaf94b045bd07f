import Addressing

extension Configuration {
    /// Decides on a datagram to an address without a known name.
    public func routeDatagram(to named: IPAddress, port: UInt16) -> Route {
        routeDatagram(to: named, port: port, name: Span())
    }

    /// Decides on a datagram to an address. Allocates nothing.
    ///
    /// Rules decide, with one exception: for a `proxy` rule without `udp` criteria the keyword `udp` decides. Without a
    /// rule the datagram goes where a stream to that address would go, `dnat` and `localnet` included, and through the
    /// proxy only with `udp associate`. With `udp direct` only reserved addresses are refused. Multicast and limited
    /// broadcast stay in the local network: they go direct unless `udp` is `block`, or `dnat` translates them. A
    /// `remote_dns_subnet` among them contains only names, and is never direct.
    /// - Parameter name: the name that the program looked up to get the address; empty if unknown.
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

    /// Applies `udp` to the decision on a stream.
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

    /// Whether the library answers a datagram to this address and port as a DNS query, depending on `dns`.
    ///
    /// This includes queries to loopback and local addresses, because a name server there would forward them direct. It
    /// excludes a `localnet` with port 53, by which the user wants that server itself, and multicast (RFC 6762).
    public func answersNames(at address: IPAddress, port: UInt16) -> Bool {
        guard port == nameServerPort, dns != .local else { return false }
        for local in localNetworks where local.port == nameServerPort && local.network.contains(address) {
            return false
        }
        if reservesAddresses, fakeNetwork.contains(address) { return true }
        return !address.isMulticast
    }
}
