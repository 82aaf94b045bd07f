import Testing

extension EndToEnd {
    /// A process is killed in the middle of a step of a handshake whose socket it shares with other processes of its
    /// tree.
    @Suite struct KilledProcessTests {
        static let cases = [
            ("looking", ["poll 1 IN|OUT|ERR|HUP", "error ECONNABORTED"]), ("reading", ["read ECONNABORTED"]),
        ].map { name, lines in
            Pending.Case(
                probe: "pending-killed", name: name,
                lines: ["child killed"] + lines + ["the proxy hears no more", "poll 1"] + Pending.connected)
        }

        @Test(arguments: cases)
        func `A handshake of which nobody knows how far it came has failed`(given: Pending.Case) async throws {
            try await Pending.check(given, configuration: ["log off"])
        }
    }
}
