import Addressing

/// What is to happen to certain connections, datagrams or listeners: a line of `[Rules]` or `[App]`.
public struct Rule: Equatable, Sendable {
    public var action: Action
    /// A rule without any matches everything.
    public var criteria: Criteria

    public init(_ action: Action, _ criteria: Criteria = Criteria()) {
        self.action = action
        self.criteria = criteria
    }

    public enum Action: Equatable, Sendable {
        /// Around the proxies.
        case direct
        /// Nowhere.
        case block(BlockReason)
        /// Through a chain of the list of this place in `Configuration.lists`.
        case proxy(list: Int)
    }

    /// What a rule looks at. All kinds that are given have to match; of one kind, any of its values.
    public struct Criteria: Equatable, Sendable {
        /// The names that the program uses (`host`).
        public var hosts: [HostPattern] = []
        /// The addresses that the program uses, IPv4-mapped ones as IPv4 (`net`). A name that a proxy resolves has none.
        public var networks: [IPNetwork] = []
        /// `port`
        public var ports: [ClosedRange<UInt16>] = []
        /// `proto`
        public var transports: [Transport] = []
        /// `command`
        public var commands: [Command] = []

        public init() {}

        /// Whether there are none.
        public var isEmpty: Bool {
            hosts.isEmpty && networks.isEmpty && ports.isEmpty && transports.isEmpty && commands.isEmpty
        }
    }

    public enum Command: Equatable, Sendable {
        /// Outgoing connections.
        case connect
        /// Listening sockets; addresses and ports are their own. Only rules that name this command speak of them: the
        /// others are written with a destination in mind.
        case bind
        /// Datagrams.
        case udp

        var transport: Transport { self == .udp ? .udp : .tcp }
    }
}

/// The program's error for what a rule blocks.
public enum BlockReason: Equatable, Sendable {
    /// ECONNREFUSED, as of a host where nobody listens. The default.
    case refused
    /// EHOSTUNREACH, as of a host that is not there.
    case unreachable
}

/// A protocol that proxies carry.
public enum Transport: Equatable, Sendable {
    case tcp, udp
}

/// Names that a rule speaks of, in lower case, without a final dot.
public enum HostPattern: Equatable, Sendable {
    /// This name.
    case name([UInt8])
    /// This domain, given with a dot in front, and the names within it. Kept without the dot.
    case domain([UInt8])
    /// `*` stands for any bytes, dots included, `?` for one.
    case glob([UInt8])
}
