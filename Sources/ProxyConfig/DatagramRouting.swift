import Addressing

extension Configuration {
    /// Decides on a datagram to an address. (One to a name goes to the proxy if `udp` says `associate`, and nowhere
    /// otherwise: only the proxy knows an address for it.) Allocates nothing.
    ///
    /// It goes where a stream to that address would go, `dnat` and `localnet` included; but what would go through the
    /// proxy does so only if `udp` says `associate`. With `udp direct` nothing is refused but addresses that are reserved
    /// for names. Multicast and limited broadcast, which mean the network that this machine is on, are direct unless
    /// `udp` says `block`, or `dnat` names them; those of a `remote_dns_subnet` are not: there are only names in it.
    public func routeDatagram(to named: IPAddress, port: UInt16) -> Route {
        let route = route(to: named, port: port)
        switch udp {
        case .associate:
            let isUntranslated = route == .proxy(list: 0, address: named.unmapped, port: port)
            return isUntranslated && (named.isMulticast || named.isLimitedBroadcast) ? .direct : route
        case .block:
            if case .proxy = route { return .refuse(.udpBlocked) }
            return route
        case .direct:
            return route == .refuse(.unknownName) ? route : .direct
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
        if dns.reservesAddresses, fakeNetwork.contains(address) { return true }
        return !address.isMulticast
    }
}

extension IPAddress {
    /// 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291 section 2.7).
    fileprivate var isMulticast: Bool {
        switch unmapped {
        case .v4(let address): address.value >> 28 == 0xe
        case .v6(let address): address.high >> 56 == 0xff
        }
    }

    /// 255.255.255.255 (RFC 919).
    fileprivate var isLimitedBroadcast: Bool { unmapped == .v4(IPv4Address(255, 255, 255, 255)) }
}
