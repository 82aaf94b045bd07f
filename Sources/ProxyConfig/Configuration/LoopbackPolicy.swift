/// Where connections to loopback addresses go (`loopback`).
public enum LoopbackPolicy: Equatable, Sendable {
    case direct, proxy
}
