import Testing

extension EndToEnd {
    /// Calls about the number of a socket in flight that end nothing, and more sets that watch it than are noted.
    @Suite struct FlightNumbersTests {
        private static let flying = ["in flight: poll 0, peer ENOTCONN", "poll 1"] + Flight.connected

        private static func cases(at stage: String) -> [Flight.Case] {
            let lines: [(String, [String])] = [
                ("closed-on-exec", ["close_range 0", "flags 1"] + flying),
                ("onto-itself", ["dup2 0", "dup3 EINVAL"] + flying),
                ("from-nothing", ["dup2 EBADF", "dup3 EBADF"] + flying),
                ("by-wrong-flags", ["dup3 EINVAL", "close_range EINVAL"] + flying),
                ("in-vfork-child", flying), ("another-in-vfork-child", flying), ("sent-among-several", flying),
                (
                    "registered-by-closed",
                    ["in flight nothing", "landed F: OUT", "descriptors -1"] + Flight.connected
                ),
                (
                    "in-many-sets",
                    Array(repeating: "in flight nothing", count: 6) + Array(repeating: "landed F: OUT", count: 6)
                        + Flight.connected
                ),
                ("in-closed-sets", ["added 20", "landed F: OUT"] + Flight.connected),
                ("in-sets-of-one-number", ["added 20", "landed F: OUT"] + Flight.connected),
            ]
            return lines.map { Flight.Case(probe: "flight-numbers", name: $0, arguments: [stage], lines: $1) }
        }

        private static func shortErrors(at stage: String) -> Flight.Case {
            Flight.Case(
                probe: "flight-numbers", name: "without-room", arguments: [stage],
                lines: ["getsockopt 0: 1 byte, 0, then ee", "getsockopt 0: 1 byte, 111, then ee", "error 0"])
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(cases))
        func `A socket goes on whose number is not ended, or that has another`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        @Test(arguments: ["reached", "greeted", "half"])
        func `What a program that confined itself has registered is known without a look`(stage: String) async throws {
            try await Flight.check(
                .init(
                    probe: "flight-numbers", name: "registered-under-a-filter", arguments: [stage],
                    lines: ["in flight nothing", "landed F: OUT"] + Flight.connected,
                    ending: Ending(report: .absent(because: "its filter forbids to look"))))
        }

        @Test(arguments: ["reached", "greeted"].map(shortErrors))
        func `What there is no room for is not written`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        @Test func `The kernel lets a socket go on the same`() async throws {
            try await Flight.checkNatively(
                FlightNumbersTests.cases(at: "reached") + [FlightNumbersTests.shortErrors(at: "reached")])
        }
    }
}
