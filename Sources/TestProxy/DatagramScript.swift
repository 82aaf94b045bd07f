extension Script {
    /// How the proxy treats the datagrams of a UDP association. The default is an honest relay.
    ///
    /// Datagrams are counted from 0, for each association and direction by itself; the client's fragments count as the
    /// one datagram that they make.
    public struct Datagrams: Sendable {
        /// What the relay does with a datagram.
        public enum Fate: Sendable {
            case pass
            case drop
            case duplicate
            /// It is sent right after the next of its direction that is sent.
            case holdBack
        }

        /// The fragments in which a datagram is sent to the client.
        public struct Fragmentation: Sendable {
            /// How many there are, 1 to 127.
            public var count: Int
            /// Those that are sent, counted from 0, in this order; nil: each one, in its order.
            public var order: [Int]?

            public init(_ count: Int, order: [Int]? = nil) {
                self.count = count
                self.order = order
            }
        }

        public var fromClient: @Sendable (Int) -> Fate = { _ in .pass }
        public var toClient: @Sendable (Int) -> Fate = { _ in .pass }
        /// nil: it is sent whole.
        public var fragmentation: @Sendable (Int) -> Fragmentation? = { _ in nil }

        /// Whether a target that the client reached by name is called by this name (ATYP 3) in what comes back.
        public var reportsNames = false
        /// The source that the relay names in every datagram to the client; nil: the true source.
        public var source: Endpoint?

        /// Datagrams that are sent as they are to the client, before a target's.
        public var garbage: @Sendable (Int) -> [[UInt8]] = { _ in [] }
        /// The same, but from a port that is not the relay's.
        public var strangers: (@Sendable (Int) -> [[UInt8]])?

        /// Closes the control connection after so many datagrams, of both directions together.
        public var closesAfter: Int?

        /// How many of the client's last datagrams are kept in the session, as they came.
        public var kept = 0

        public init() {}

        /// Headers that no client may take: for `garbage`.
        public static var malformed: [[UInt8]] {
            [
                // Cut off, from nothing at all to the last byte of DST.PORT.
                [], [0], [0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1, 127, 0, 0, 1, 0],
                [0, 0, 0, 4] + Array(repeating: 0, count: 17), [0, 0, 0, 3],
                // A name that ends behind the end.
                [0, 0, 0, 3, 255] + Array("short.test".utf8),
                // An unknown ATYP.
                [0, 0, 0, 9, 127, 0, 0, 1, 0, 53, 0xaa],
                // RSV that is not 0.
                [0, 1, 0, 1, 127, 0, 0, 1, 0, 53, 0xaa],
            ]
        }
    }
}
