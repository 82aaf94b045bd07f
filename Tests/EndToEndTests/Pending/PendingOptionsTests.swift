import Testing

extension EndToEnd {
    /// SO_RCVLOWAT and TCP_CORK, which a program sets for its own data: no handshake is held up by them, and the program
    /// never sees that they were anything else meanwhile.
    @Suite struct FlightOptionsTests {
        /// Their values as the program sets them before and in flight, and those of any socket.
        private static let options = [("lowat", 100, 3, 1), ("cork", 1, 1, 0)]

        private static let cases = options.flatMap { option, value, other, plain in
            let landed = ["landed \(value) \(value)"] + Flight.connected
            func changed(to value: Int) -> [String] {
                ["in flight \(value)", "too short EINVAL", "in flight \(value)", "landed \(value) \(value)"]
                    + Flight.connected
            }
            let lines: [(String, [String])] = [
                ("landed", Array(repeating: "in flight \(value)", count: 4) + landed),
                ("by-another-number", ["in flight \(value)"] + landed), ("inherited", ["in flight \(value)"] + landed),
                ("epolled", ["told F: \(option == "cork" ? "IN|OUT" : "OUT")"] + landed),
                ("refused", ["refused \(value) \(value)", "error ECONNREFUSED"] + landed),
                ("dissolved", ["dissolved 0", "then \(value) \(value)"]),
                ("changed-in-flight", changed(to: other)), ("cleared-in-flight", changed(to: plain)),
                ("set-in-flight", changed(to: value)), ("forked", landed), ("blocking", ["connect 0"] + landed),
            ]
            return lines.map { Flight.Case(probe: "flight-options", name: $0, arguments: [option], lines: $1) }
        }

        @Test(arguments: cases) func `The program sees its own option, and waits no longer`(
            given: Flight.Case
        ) async throws {
            try await Flight.check(given, configuration: [])
        }

        @Test func `The kernel keeps the options the same`() async throws {
            try await Flight.checkNatively(FlightOptionsTests.cases)
        }
    }
}
