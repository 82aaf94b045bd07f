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
    /// 0.0.0.0 or ::, which means this machine, and no proxy could mean the same by it: ECONNREFUSED.
    case unspecifiedAddress
    /// An address that is reserved for names, and stands for none: EHOSTUNREACH.
    case unknownName
    /// A datagram that `udp block` keeps from the proxy: ENETUNREACH.
    case udpBlocked
}

extension Configuration {
    /// Decides on a stream to an address. (One to a name goes to the proxy.) Allocates nothing.
    ///
    /// That the first proxy of the chain is itself reached directly is not decided here: its name may have to be
    /// looked up.
    public func route(to named: IPAddress, port: UInt16) -> Route {
        let address = named.unmapped

        // Before everything else, as in proxychains: no localnet makes this a place that a proxy could reach.
        if address.isUnspecified { return loopback == .direct ? .direct : .refuse(.unspecifiedAddress) }

        // Neither translated nor local: `dnat` and `localnet` speak of addresses that programs mean.
        if dns.reservesAddresses, fakeNetwork.contains(address) { return .refuse(.unknownName) }

        let translated = translation(of: address, port: port)

        // A match is looked for with the translated destination, but it is the named one that is then
        // connected to: proxychains does it like this.
        let target = translated ?? (address, port)
        if isLocal(target.address, port: target.port) { return .direct }

        // What was translated goes to the proxy even if it became a loopback address: that of the proxy is
        // meant, and connecting to the named address would go around the proxy unasked.
        if translated == nil, address.isLoopback, loopback == .direct { return .direct }
        return .proxy(list: 0, address: target.address, port: target.port)
    }

    /// What `dnat` puts in place of an address; nil where it says nothing. A translation of that very port
    /// goes before one of every port, and the first of a kind before later ones.
    private func translation(of address: IPAddress, port: UInt16) -> (address: IPAddress, port: UInt16)? {
        guard case .v4(let address) = address else { return nil }
        var match: AddressTranslation?
        for translation in translations where translation.original == address {
            if translation.originalPort == port {
                match = translation
                break
            }
            if translation.originalPort == nil, match == nil { match = translation }
        }
        guard let match else { return nil }
        return (.v4(match.replacement), match.replacementPort ?? port)
    }

    private func isLocal(_ address: IPAddress, port: UInt16) -> Bool {
        for local in localNetworks {
            if let only = local.port, only != port { continue }
            if local.network.contains(address) { return true }
        }
        return false
    }
}
