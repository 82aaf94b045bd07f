import Testing

extension EndToEnd {
    /// Pending connections that fail.
    @Suite struct PendingFailureTests {
        /// The case of a connection that fails in this way, whose socket connects afterwards.
        private static func failure(
            _ kind: String, at stage: String, _ error: String, by call: String = "epoll_wait", way: String = "error"
        ) -> Pending.Case {
            Pending.Case(
                probe: "pending-failure", name: kind, arguments: [stage, call, way],
                lines: ["told", "\(way) \(error)", "error 0", "peer ENOTCONN", "again OUT"] + Pending.connected
                    + ["descriptors +0"],
                // The log has no line about a failure of the target. A proxy that closes in place of a reply reports
                // such a failure.
                ending: Int(kind) == nil && (kind, stage) != ("close", "greeted") ? .logging : .clean)
        }

        private static let calls = ["poll", "select", "epoll_wait"]

        @Test(arguments: ConnectProbeTests.replyCodes)
        func `A reply code gives its error`(code: UInt8, error: String) async throws {
            try await Pending.check(PendingFailureTests.failure("\(code)", at: "greeted", error))
        }

        static let ways = ["error", "connect", "read", "write"].flatMap { way in
            calls.map { failure("5", at: "greeted", "ECONNREFUSED", by: $0, way: way) }
        }

        @Test(arguments: ways)
        func `The error is told once, by whatever call comes first, and the socket connects again`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
        }

        @Test(arguments: ["error", "connect", "read", "write"])
        func `An error that no kernel had in mind is told once as well`(way: String) async throws {
            try await Pending.check(PendingFailureTests.failure("4", at: "greeted", "EHOSTUNREACH", way: way))
        }

        static let breaks =
            ["close", "reset", "garbage"].flatMap { kind in
                ["reached", "greeted", "half"].flatMap { stage in
                    // From the bound address on, any bytes are valid.
                    kind == "garbage" && stage == "half"
                        ? [] : calls.map { failure(kind, at: stage, "ECONNREFUSED", by: $0) }
                }
            } + calls.map { failure("gone", at: "unreached", "ECONNREFUSED", by: $0) }
            + calls.map { failure("no-method", at: "reached", "EACCES", by: $0) }

        @Test(arguments: breaks)
        func `A proxy that breaks off, or speaks another protocol, ends the connection`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
        }

        static let silences = ["reached", "greeted", "half"].flatMap { stage in
            (calls + ["SYS_epoll_pwait2", "ppoll", "pselect"]).map {
                failure("silence", at: stage, "ETIMEDOUT", by: $0)
            }
        }

        /// The program waits without a limit; the time limit of the proxy wakes it.
        @Test(arguments: silences)
        func `A proxy that stays silent times out`(given: Pending.Case) async throws {
            try await Pending.checkSilence(given)
        }

        @Test func `The kernel tells a failure the same`() async throws {
            try await Pending.checkNatively(
                PendingFailureTests.ways + PendingFailureTests.breaks.filter { $0.name == "gone" })
        }
    }
}
