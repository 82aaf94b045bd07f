import Testing

extension EndToEnd {
    /// Time limits, each for one step alone; and which hop's failure it is when a chain cannot be built.
    @Suite struct PendingDeadlineTests {
        private static let established = ["poll 1 OUT"] + Pending.connected

        private func run(_ probe: String, _ arguments: [String], _ configuration: [String]) async throws
            -> CallProbe.Output
        {
            try await ConfigurationText(configuration.joined(separator: "\n")).write { path in
                try await CallProbe.run(probe, arguments, environment: ["SOCKSIFY_CONF": path])
            }
        }

        @Test(arguments: [("closed-late", "tcp_connect_time_out"), ("silent", "tcp_read_time_out")])
        func `A limit that a first attempt has used up is not the second's`(name: String, limit: String) async throws {
            let address = "127.0.41.6"
            let output = try await run(
                "pending-deadlines", [name, address, "600000"],
                [
                    "\(limit) 600000", "failover_chain", "chain_len = 1", "[ProxyList]", "socks5 \(address) 1080",
                    "socks5 \(address) 1081",
                ])
            #expect(output.lines == PendingDeadlineTests.established, "\(output)")
        }

        @Test(arguments: [
            (
                "silent",
                [
                    "the first is asked for port 1081", "the first is asked for port 1082",
                    "the third is asked for port 80",
                ]
            ),
            ("silent-then-failing", ["the first is asked for port 1081", "the third is asked for port 80"]),
        ])
        func `A proxy that falls silent when it is asked for the next one has no way to it`(
            name: String, requests: [String]
        ) async throws {
            let address = "127.0.41.7"
            let output = try await run(
                "pending-chain", [name, address],
                ["dynamic_chain", "[ProxyList]"] + (1080...1082).map { "socks5 \(address) \($0)" })
            #expect(output.lines == requests + PendingDeadlineTests.established, "\(output)")
        }
    }
}
