import Testing

extension EndToEnd {
    /// TCP_USER_TIMEOUT. The library sets its own value while the kernel connects to the proxy; the program always sees
    /// the value that it has set.
    @Suite struct PendingUserTimeoutTests {
        /// No value, a shorter one than the library's, and a longer one.
        private static let values = [0, 50_000, 90_000]

        private static let cases = values.flatMap { value in
            let established = ["established \(value)"] + Pending.connected
            let refused = ["refused \(value)", "error ECONNREFUSED", "refused \(value)"]
            let lines: [(String, [String])] = [
                ("established", Array(repeating: "pending \(value)", count: 4) + established),
                ("established-unasked", established), ("refused", refused + established), ("gone", refused),
                ("dissolved", ["dissolved 0", "then \(value)"]),
                ("set-pending", ["pending 45678", "established 45678"] + Pending.connected),
                ("cleared-pending", ["pending 0", "established 0"] + Pending.connected),
                ("blocking", ["connect 0"] + established),
            ]
            return lines.map {
                Pending.Case(
                    probe: "pending-user-timeout", name: $0, arguments: ["\(value)"], lines: $1,
                    ending: $0 == "gone" ? .logging : .clean)
            }
        }

        private static let limited = values.map { value in
            Pending.Case(
                probe: "pending-user-timeout", name: "limited", arguments: ["\(value)"],
                lines: ["the sleeper: F: OUT|ERR|HUP", "error ETIMEDOUT", "then \(value)"], ending: .logging)
        }

        @Test(arguments: cases) func `The program sees its own timeout`(given: Pending.Case) async throws {
            try await Pending.check(given, configuration: ["tcp_connect_time_out 60000"])
        }

        @Test(arguments: limited)
        func `A thread that sleeps since before learns that the time to connect is over`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given, configuration: ["tcp_connect_time_out 1000"])
        }

        @Test func `The kernel keeps a timeout the same`() async throws {
            try await Pending.checkNatively(PendingUserTimeoutTests.cases + PendingUserTimeoutTests.limited)
        }
    }
}
