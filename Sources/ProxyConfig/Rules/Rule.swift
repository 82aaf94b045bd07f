import Addressing

/// A decision about matching connections, datagrams or listeners: a line of `[Rules]` or `[App]`.
public struct Rule: Equatable, Sendable {
    public var action: Action
    /// A rule without any matches everything.
    public var criteria: Criteria

    public init(_ action: Action, _ criteria: Criteria = Criteria()) {
        self.action = action
        self.criteria = criteria
    }

    public enum Action: Equatable, Sendable {
        /// Direct.
        case direct
        /// Nowhere.
        case block(BlockReason)
        /// Through a chain of the list at this index in `Configuration.lists`.
        case proxy(list: Int)
    }

    /// The criteria of a rule. All kinds must match; of one kind, any of its values.
    public struct Criteria: Equatable, Sendable {
        /// The names that the program uses (`host`).
        public var hosts: [HostPattern] = []
        /// The addresses that the program uses, IPv4-mapped ones as IPv4 (`net`). A name that a proxy resolves has
        /// none.
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
        /// Listening sockets, by their local addresses and ports. Only rules with this command match them: other rules
        /// are about destinations.
        case bind
        /// Datagrams.
        case udp

        var transport: Transport { self == .udp ? .udp : .tcp }
    }
}
