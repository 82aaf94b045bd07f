import Addressing

extension Configuration {
    /// Whether a connection to an answered address would go direct: loopback, a `localnet`, or a network that a rule
    /// sends direct, at any port.
    ///
    /// Otherwise an attacker's name server could make a program connect to services that only this machine can reach.
    public func leadsAroundProxies(_ address: IPAddress, name: Span<UInt8>) -> Bool {
        let address = address.unmapped
        if address.isUnspecified { return loopback == .direct }
        let name = withoutFinalDot(name)
        for rule in rules.indices {
            let criteria = rules[rule].criteria
            guard !criteria.speaksOfListenersOnly, criteria.matches(name: name), criteria.matches(address: address)
            else {
                continue
            }
            // A rule without networks sends names or ports direct, whatever the address.
            if rules[rule].action == .direct, !criteria.networks.isEmpty { return true }
            if criteria.ports.isEmpty, criteria.allows(.connect), criteria.allows(.udp) { return false }
        }
        for local in localNetworks where local.network.contains(address) { return true }
        return address.isLoopback && loopback == .direct
    }
}
