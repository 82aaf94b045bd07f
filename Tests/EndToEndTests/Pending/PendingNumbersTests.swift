import Testing

extension EndToEnd {
    /// Calls on the descriptor of a pending socket that close nothing, and a socket that more epolls watch than the
    /// library records.
    @Suite struct PendingNumbersTests {
        private static let pending = ["pending: poll 0, peer ENOTCONN", "poll 1"] + Pending.connected

        private static func cases(at stage: String) -> [Pending.Case] {
            let lines: [(String, [String])] = [
                ("closed-on-exec", ["close_range 0", "flags 1"] + pending),
                ("onto-itself", ["dup2 0", "dup3 EINVAL"] + pending),
                ("from-nothing", ["dup2 EBADF", "dup3 EBADF"] + pending),
                ("by-wrong-flags", ["dup3 EINVAL", "close_range EINVAL"] + pending),
                ("in-vfork-child", pending), ("another-in-vfork-child", pending), ("sent-among-several", pending),
                (
                    "registered-by-closed",
                    ["pending nothing", "established F: OUT", "descriptors -1"] + Pending.connected
                ),
                (
                    "in-many-sets",
                    Array(repeating: "pending nothing", count: 6) + Array(repeating: "established F: OUT", count: 6)
                        + Pending.connected
                ),
                ("in-closed-sets", ["added 20", "established F: OUT"] + Pending.connected),
                ("in-sets-of-one-number", ["added 20", "established F: OUT"] + Pending.connected),
            ]
            return lines.map { Pending.Case(probe: "pending-numbers", name: $0, arguments: [stage], lines: $1) }
        }

        private static func shortErrors(at stage: String) -> Pending.Case {
            Pending.Case(
                probe: "pending-numbers", name: "without-room", arguments: [stage],
                lines: ["getsockopt 0: 1 byte, 0, then ee", "getsockopt 0: 1 byte, 111, then ee", "error 0"])
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(cases))
        func `A socket goes on whose number is not ended, or that has another`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test(arguments: ["reached", "greeted", "half"])
        func `What a program that confined itself has registered is known without a look`(stage: String) async throws {
            try await Pending.check(
                .init(
                    probe: "pending-numbers", name: "registered-under-a-filter", arguments: [stage],
                    lines: ["pending nothing", "established F: OUT"] + Pending.connected,
                    ending: Ending(report: .absent(because: "its filter forbids to look"))))
        }

        @Test(arguments: ["reached", "greeted"].map(shortErrors))
        func `What there is no room for is not written`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test func `The kernel lets a socket go on the same`() async throws {
            try await Pending.checkNatively(
                PendingNumbersTests.cases(at: "reached") + [PendingNumbersTests.shortErrors(at: "reached")])
        }
    }
}
