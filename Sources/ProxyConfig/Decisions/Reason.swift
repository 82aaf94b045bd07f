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
