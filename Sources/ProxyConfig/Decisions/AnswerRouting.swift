import Addressing

extension Configuration {
    /// Whether an address that somebody outside has answered for a name would lead to this machine, or around the proxies:
    /// loopback, `localnet`, what a rule sends there by its network, whatever the port.
    ///
    /// What the user has written decides, and no server's answer: an attacker's name server could else have a program
    /// connect to services that only this machine reaches.
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
            // A rule without networks sends names or ports there, whatever address is answered.
            if rules[rule].action == .direct, !criteria.networks.isEmpty { return true }
            if criteria.ports.isEmpty, criteria.allows(.connect), criteria.allows(.udp) { return false }
        }
        for local in localNetworks where local.network.contains(address) { return true }
        return address.isLoopback && loopback == .direct
    }
}
