import Testing

extension EndToEnd {
    /// How long the library avoids a proxy that has failed, by the clock of the probe.
    @Suite struct DeadTimeTests {
        private func lines(_ name: String, _ mode: String) async throws -> [String] {
            let address = "127.0.42.1"
            let list =
                [mode, "dead_time 3600", "log off", "[ProxyList]"] + [1080, 1081].map { "socks5 \(address) \($0)" }
            return try await ConfigurationText(list.joined(separator: "\n")).write { path in
                try await CallProbe.run("dead-time", [name, address, "3600"], environment: ["SOCKSIFY_CONF": path])
            }.lines
        }

        private static let modes = ["failover_chain", "dynamic_chain"]

        @Test(arguments: modes)
        func `A proxy that has failed is asked again when its time is over, and not before`(mode: String) async throws {
            let lines = try await lines("end", mode)
            #expect(lines == ["at first: first, second: 0", "just before: second: 0", "at the end: first, second: 0"])
        }

        @Test(arguments: modes)
        func `So it is for another program of the tree`(mode: String) async throws {
            let lines = try await lines("end-for-others", mode)
            #expect(lines == ["at first: first, second", "just before: second", "at the end: first, second"])
        }

        @Test(arguments: modes)
        func `A proxy that answers is a good one at once`(mode: String) async throws {
            let lines = try await lines("answer", mode)
            #expect(
                lines == [
                    "at first: first, second: ECONNREFUSED", "then: first, second: 0", "after an answer: second: 0",
                ])
        }
    }
}
