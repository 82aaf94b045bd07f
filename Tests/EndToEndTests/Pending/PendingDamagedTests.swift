import Testing

extension EndToEnd {
    /// Memory that a process shares with its forked children, and in which another process may have written anything.
    @Suite struct PendingDamagedTests {
        private static func cases(_ way: String, _ values: [String]) -> [Pending.Case] {
            values.map {
                Pending.Case(
                    probe: "pending-damaged", name: $0, arguments: [way],
                    lines: [
                        "failed some, connected some", "0 ended by a signal, 0 without end",
                        "0 trusting, 0 astray, 0 misled, 0 with more open",
                    ])
            }
        }

        static let damaged = cases("damaged", ["zero", "ones", "flipped", "more", "thread", "filled"])
        static let forged = cases("forged", ["zero", "ones", "lower", "upper", "flipped", "more"])

        @Test(arguments: damaged)
        func `Whatever a word becomes, a pending socket arrives or fails`(given: Pending.Case) async throws {
            try await Pending.check(given, configuration: ["log off"])
        }

        @Test(arguments: forged)
        func `Whatever another process tells, a pending socket arrives or fails`(given: Pending.Case) async throws {
            try await Pending.check(given, configuration: ["log off"])
        }
    }
}
