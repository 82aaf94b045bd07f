import Addressing

/// The decision about a host, a port and a protocol, with its reason, for users.
///
/// Does not consider names of this machine (`localhost`, /etc/hosts).
public struct Explanation: Equatable, Sendable {
    /// The result of a lookup of the name; nil without a lookup.
    public var lookup: Lookup?
    public var way: Way
    /// The reason for `way`; if that is unknown, the reason for `lookup`.
    public var reason: Reason
    /// The line of the text that `reason` stands for; nil for what the text does not say.
    public var position: SourcePosition?
    /// The line of the `dnat` that took part.
    public var translationPosition: SourcePosition?

    /// Where it goes.
    public enum Way: Equatable, Sendable {
        /// Direct.
        case direct
        /// Through a chain of the list at this index in `Configuration.lists`, whose last proxy is asked for this.
        case proxy(list: Int, destination: Endpoint)
        /// Nowhere.
        case refuse(Refusal)
        /// The name is resolved first, and its address decides: `explanation(of:lookedUpAs:port:transport:)`.
        case byAddress
    }

    /// What a program gets that looks a name up.
    public enum Lookup: Equatable, Sendable {
        /// An address from the resolver of this machine.
        case local
        /// An address from this server, which is asked through the proxy.
        case server(Endpoint)
        /// An address from Tor.
        case tor
        /// A reserved address.
        case reserved
    }
}

extension ParsedConfiguration {
    /// What is decided about a host as a program names it, by address or by name.
    public func explanation(of host: Host, port: UInt16, transport: Transport) -> Explanation {
        switch host {
        case .address(let address): explanation(of: address, lookedUpAs: nil, port: port, transport: transport)
        case .name(let name): explanation(of: name, port: port, transport: transport)
        }
    }

    /// What is decided about an address.
    ///
    /// - Parameter name: what the program looked the address up by; nil where it did not.
    public func explanation(
        of address: IPAddress, lookedUpAs name: HostName?, port: UInt16, transport: Transport
    ) -> Explanation {
        let decision = routeDecision(on: address, name, port, transport)
        let way: Explanation.Way
        switch decision.outcome {
        case .direct: way = .direct
        case .refuse(let refusal): way = .refuse(refusal)
        case .proxy(let list, let address, let port):
            way = .proxy(list: list, destination: Endpoint(host: .address(address), port: port))
        }
        return Explanation(
            lookup: nil, way: way, reason: decision.reason, position: position(of: decision.reason),
            translationPosition: decision.translation.flatMap { position(ofTranslation: $0) })
    }

    private func routeDecision(
        on address: IPAddress, _ name: HostName?, _ port: UInt16, _ transport: Transport
    ) -> Decision<Route> {
        guard let name else {
            return transport == .udp
                ? configuration.datagramDecision(to: address, port: port, name: Span())
                : configuration.streamDecision(to: address, port: port, name: Span())
        }
        return transport == .udp
            ? configuration.datagramDecision(to: address, port: port, name: name.bytes)
            : configuration.streamDecision(to: address, port: port, name: name.bytes)
    }

    private func explanation(of name: HostName, port: UInt16, transport: Transport) -> Explanation {
        let found = configuration.lookupDecision(of: name.bytes, port: port, transport: transport)
        let lookup = configuration.lookup(found.outcome, of: name)
        let decision = configuration.nameDecision(
            name.bytes, port: port, command: transport == .udp ? .udp : .connect)
        guard lookup == .reserved || configuration.isSure(decision) else {
            return Explanation(
                lookup: lookup, way: .byAddress, reason: found.reason, position: position(of: found.reason),
                translationPosition: nil)
        }
        let way: Explanation.Way
        switch decision.outcome {
        case .direct: way = .direct
        case .refuse(let refusal): way = .refuse(refusal)
        case .proxy(let list): way = .proxy(list: list, destination: Endpoint(host: .name(name), port: port))
        }
        return Explanation(
            lookup: lookup, way: way, reason: decision.reason, position: position(of: decision.reason),
            translationPosition: nil)
    }
}

extension Configuration {
    fileprivate func lookup(_ route: LookupRoute, of name: HostName) -> Explanation.Lookup {
        switch (route, dns) {
        case (.local, _), (.byMode, .local): return .local
        case (.proxy, _), (.undecided, _), (.byMode, .fake): return .reserved
        case (.byMode, .tcp(let server)): return .server(server)
        case (.byMode, .tor):
            var onion: [UInt8] = []
            onion.append("onion")
            return HostPattern.domain(onion).matches(withoutFinalDot(name.bytes)) ? .reserved : .tor
        }
    }

    /// Whether a rule sends a name direct whatever its addresses are: no earlier rule has networks.
    fileprivate func isSure(_ decision: Decision<NameRoute>) -> Bool {
        guard case .rule(let index) = decision.reason, decision.outcome == .direct else { return false }
        for rule in rules.prefix(index) where !rule.criteria.networks.isEmpty { return false }
        return true
    }
}
