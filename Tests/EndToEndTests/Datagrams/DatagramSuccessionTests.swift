import Testing

extension EndToEnd {
    /// Associations of one socket, one after the other. The probe is the proxy, and decides which datagrams are in
    /// transit meanwhile.
    @Suite struct DatagramSuccessionTests {
        private func check(
            _ name: String, prints lines: [String], associations: Int = 1,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            try await Pending.check(
                Pending.Case(
                    probe: "datagram-succession", name: name,
                    lines: lines + ["received 6 bytes from the target: answer"], ending: .associated(associations)),
                configuration: ["log off"], sourceLocation: sourceLocation)
        }

        @Test func `What the former relay has sent still arrives`() async throws {
            try await check(
                "ended",
                prints: ["send 0", "relay 1: one", "relay 2: two", "received 4 bytes from the target: late"])
        }

        /// A late datagram has the relay's header: the program must not receive it as a direct one, either.
        @Test func `Nothing arrives from the relay of a socket that the program has given up`() async throws {
            try await check(
                "forgotten", prints: ["send 0", "relay 1: one", "received EAGAIN", "send 0", "relay 2: two"])
        }

        @Test func `A relay that is given up and comes again is heard`() async throws {
            // The last datagram keeps the former association for a moment.
            try await check(
                "common", prints: ["send 0", "relay 1: one", "send 0", "relay 1: two"], associations: 2)
        }

        @Test(arguments: ["queued", "patient"])
        func `What waits for an association is sent when it is there`(name: String) async throws {
            try await check(name, prints: ["send 0", "send 0", "relay 1: one", "relay 1: two"])
        }

        @Test func `What waits for an association is sent though the socket is connected to elsewhere`() async throws {
            try await check(
                "redirected",
                prints: ["send 0", "send 0", "relay 1: one", "received EAGAIN", "send 0", "relay 2: two"],
                associations: 2)
        }

        @Test func `An association that has failed is told of once, and opened when there is a proxy`() async throws {
            try await check("failed", prints: ["send ENETUNREACH", "send 0", "relay 1: two"])
        }
    }
}
