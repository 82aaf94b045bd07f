/// A decision and its reason, used both to act and to explain.
public struct Decision<Outcome: Equatable & Sendable>: Equatable, Sendable {
    public var outcome: Outcome
    public var reason: Reason
    /// The index in `Configuration.translations` of the applied one.
    public var translation: Int?

    init(_ outcome: Outcome, _ reason: Reason, translation: Int? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.translation = translation
    }
}

/// The reason of a decision.
public enum Reason: Equatable, Sendable {
    /// The rule with this index in `Configuration.rules`.
    case rule(Int)
    /// The network with this index in `Configuration.localNetworks`.
    case localNetwork(Int)
    /// 0.0.0.0 or ::, decided by `loopback`.
    case unspecifiedAddress
    /// A reserved address without a name (`remote_dns_subnet`).
    case reservedAddress
    /// A loopback address, decided by `loopback`.
    case loopback
    /// Multicast or broadcast.
    case multicast
    /// A datagram, decided by `udp`.
    case udpPolicy
    /// A listening socket, decided by `bind`.
    case listenerPolicy
    /// A name, decided by `dns`.
    case dnsMode
    /// No rule or setting matches: the default chain.
    case defaultChain
}
