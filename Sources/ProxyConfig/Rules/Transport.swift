/// A protocol that proxies carry.
public enum Transport: Equatable, Sendable {
    case tcp, udp
}
