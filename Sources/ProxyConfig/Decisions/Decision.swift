/// What is decided, and why: one and the same for whoever acts on it and whoever explains it.
public struct Decision<Outcome: Equatable & Sendable>: Equatable, Sendable {
    public var outcome: Outcome
    public var reason: Reason
    /// The place in `Configuration.translations` of the one that took part.
    public var translation: Int?

    init(_ outcome: Outcome, _ reason: Reason, translation: Int? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.translation = translation
    }
}

/// What decided.
public enum Reason: Equatable, Sendable {
    /// The rule of this place in `Configuration.rules`.
    case rule(Int)
    /// The network of this place in `Configuration.localNetworks`.
    case localNetwork(Int)
    /// 0.0.0.0 or ::, as `loopback` says.
    case unspecifiedAddress
    /// An address that is reserved for names (`remote_dns_subnet`).
    case reservedAddress
    /// A loopback address, as `loopback` says.
    case loopback
    /// Multicast or broadcast.
    case multicast
    /// A datagram, as `udp` says.
    case udpPolicy
    /// A listening socket, as `bind` says.
    case listenerPolicy
    /// A name, as `dns` says.
    case dnsMode
    /// Nothing spoke of it: the default chain.
    case defaultChain
}
