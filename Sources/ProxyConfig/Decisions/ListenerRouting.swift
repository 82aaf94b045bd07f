import Addressing

/// The decision on listen(2).
public enum ListenerRoute: Equatable, Sendable {
    /// It listens on this machine.
    case direct
    case block(BlockReason)
}

extension Configuration {
    /// Whether any listening socket may be refused.
    public var refusesListeners: Bool { listeners != .direct || !ruleIndex.listening.isEmpty }

    /// Decides on a listening socket by its local address and port. Allocates nothing.
    public func routeListener(at address: IPAddress, port: UInt16) -> ListenerRoute {
        listenerDecision(at: address, port: port).outcome
    }

    /// `routeListener(at:port:)` with its reason.
    public func listenerDecision(at address: IPAddress, port: UInt16) -> Decision<ListenerRoute> {
        for rule in ruleIndex.listening where rule < rules.count {
            guard rules[rule].criteria.hosts.isEmpty, rules[rule].criteria.matches(address: address.unmapped),
                rules[rule].criteria.matches(port: port)
            else { continue }
            switch rules[rule].action {
            case .direct: return Decision(.direct, .rule(rule))
            case .block(let reason): return Decision(.block(reason), .rule(rule))
            // BIND is not implemented, so that `proxy` blocks.
            case .proxy: return Decision(.block(.refused), .rule(rule))
            }
        }
        return Decision(listeners == .direct ? .direct : .block(.refused), .listenerPolicy)
    }
}
