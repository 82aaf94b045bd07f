import Testing

extension EndToEnd {
    /// A call that waits for a pending connection and is stopped or interrupted at a critical point.
    ///
    /// The probe stops the thread by ptrace(2) at an exact instruction, so each interleaving happens in each run.
    @Suite struct WaitingCallTests {
        private func check(_ given: Pending.Case, sourceLocation: SourceLocation = #_sourceLocation) async throws {
            // The proxy's time limit must never end a call.
            try await Pending.check(
                given, configuration: ["log off", "tcp_read_time_out 36000000"], sourceLocation: sourceLocation)
        }

        @Test func `A call's limit counts from its begin, however late it is looked up`() async throws {
            try await check(
                Pending.Case(
                    probe: "pending-held", name: "limited", lines: ["read EAGAIN", "poll 1"] + Pending.connected))
        }

        @Test func `A call comes back when another thread takes the answer just before it waits for it`() async throws {
            try await check(
                Pending.Case(
                    probe: "pending-held", name: "overtaken", lines: ["poll 1", "connect 0"] + Pending.connected))
        }

        @Test func `A signal between two waits of a call ends it`() async throws {
            try await check(
                Pending.Case(
                    probe: "pending-held", name: "signalled",
                    lines: ["read EINTR", "handled 1", "poll 1"] + Pending.connected))
        }

        private static let restarted = Pending.Case(
            probe: "pending-held", name: "restarted", lines: ["connect EINTR", "poll 1"] + Pending.connected)

        @Test func `Under a limit a handler ends a call also where it restarts calls`() async throws {
            try await check(WaitingCallTests.restarted)
            try await Pending.checkNatively([WaitingCallTests.restarted])
        }
    }
}
