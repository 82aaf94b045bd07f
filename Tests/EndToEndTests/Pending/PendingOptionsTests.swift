import Testing

extension EndToEnd {
    /// SO_RCVLOWAT and TCP_CORK, which a program sets for its own data. They delay no handshake, and the program always
    /// sees the values that it has set.
    @Suite struct PendingOptionsTests {
        /// The values that the program sets before the connection and while it is pending, and the default values.
        private static let options = [("lowat", 100, 3, 1), ("cork", 1, 1, 0)]

        private static let cases = options.flatMap { option, value, other, plain in
            let established = ["established \(value) \(value)"] + Pending.connected
            func changed(to value: Int) -> [String] {
                ["pending \(value)", "too short EINVAL", "pending \(value)", "established \(value) \(value)"]
                    + Pending.connected
            }
            let lines: [(String, [String])] = [
                ("established", Array(repeating: "pending \(value)", count: 4) + established),
                ("by-another-number", ["pending \(value)"] + established),
                ("inherited", ["pending \(value)"] + established),
                ("epolled", ["told F: \(option == "cork" ? "IN|OUT" : "OUT")"] + established),
                ("refused", ["refused \(value) \(value)", "error ECONNREFUSED"] + established),
                ("dissolved", ["dissolved 0", "then \(value) \(value)"]),
                ("changed-pending", changed(to: other)), ("cleared-pending", changed(to: plain)),
                ("set-pending", changed(to: value)), ("forked", established), ("blocking", ["connect 0"] + established),
            ]
            return lines.map { Pending.Case(probe: "pending-options", name: $0, arguments: [option], lines: $1) }
        }

        @Test(arguments: cases) func `The program sees its own option, and waits no longer`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given, configuration: [])
        }

        @Test func `The kernel keeps the options the same`() async throws {
            try await Pending.checkNatively(PendingOptionsTests.cases)
        }
    }
}
