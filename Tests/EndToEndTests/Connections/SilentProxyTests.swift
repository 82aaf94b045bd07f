import Testing

extension EndToEnd {
    /// A silent proxy, without a time limit in the configuration. If there is another proxy, the library uses it after
    /// seven seconds by the clock of the probe; if there is none, the kernel's limits apply.
    @Suite struct SilentProxyTests {
        private static let calls = ["poll", "select", "epoll_wait"]
        private static let modes = [["failover_chain"], ["dynamic_chain", "dead_time 60"], ["round_robin_chain"]]

        private func check(
            _ name: String, by call: String, _ globals: [String], address: String, types: [String],
            prints lines: [String], sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let list = zip(types, 1080...).map { "\($0) \(address) \($1)" }
            let text = (["log off"] + globals + ["[ProxyList]"] + list).joined(separator: "\n")
            let output = try await ConfigurationText(text).write { path in
                try await CallProbe.run("silent-proxy", [name, address, call], environment: ["SOCKSIFY_CONF": path])
            }
            #expect(output.lines == lines, "\(globals), \(call): \(output)", sourceLocation: sourceLocation)
        }

        private static let second = ["just before: nothing", "then OUT"] + Pending.connected

        @Test(arguments: modes, calls)
        func `The next proxy is used when one keeps silent`(mode: [String], call: String) async throws {
            let two = ["socks5", "socks5"]
            // A dynamic chain goes through both proxies while both work, and through the other one when one fails.
            let address = "127.0.43.1"
            try await check(
                "unreached", by: call, mode, address: address, types: two,
                prints: ["at once: nothing", "the kernel's limit 7000"] + Self.second)
            try await check(
                "reached", by: call, mode, address: address, types: two, prints: ["at once: nothing"] + Self.second)
        }

        private static let late = ["just before: nothing", "at the end: OUT|ERR|HUP", "error ETIMEDOUT"]

        @Test func `A proxy that was asked for the destination has its whole time`() async throws {
            try await check(
                "asked", by: "poll", ["failover_chain"], address: "127.0.43.2", types: ["socks5", "socks5"],
                prints: ["at once: nothing", "after the patience: nothing"] + Self.late)
            for type in ["socks4", "http"] {
                try await check(
                    "asked-at-once", by: "poll", ["failover_chain"], address: "127.0.43.2", types: [type, "socks5"],
                    prints: ["at once: nothing", "after the patience: nothing", "just before: nothing"])
            }
        }

        @Test(arguments: [(["strict_chain"], 2), (["failover_chain"], 1)])
        func `Where there is no other proxy the kernel's limits count`(mode: [String], count: Int) async throws {
            try await check(
                "single", by: "poll", mode, address: "127.0.43.3", types: Array(repeating: "socks5", count: count),
                prints: [
                    "at once: nothing", "the kernel's limit 0", "after the patience: nothing", "much later: nothing",
                    "reached: nothing", "after the patience: nothing",
                ] + Self.late)
        }

        @Test(arguments: [(["failover_chain"], 7000), (["strict_chain"], 0)])
        func `A program that waits in connect gives the kernel as long`(mode: [String], limit: Int) async throws {
            for types in [["socks5", "socks5"]] where limit > 0 {
                try await check(
                    "blocking", by: "poll", mode, address: "127.0.43.4", types: types,
                    prints: ["SO_SNDTIMEO \(limit)", "connect 0", "then 0"])
            }
            try await check(
                "blocking", by: "poll", mode, address: "127.0.43.4", types: ["socks5"],
                prints: ["SO_SNDTIMEO 0", "connect 0", "then 0"])
        }

        @Test func `A configured limit counts in place of that`() async throws {
            try await check(
                "blocking", by: "poll", ["failover_chain", "tcp_connect_time_out 30000"], address: "127.0.43.5",
                types: ["socks5", "socks5"], prints: ["SO_SNDTIMEO 30000", "connect 0", "then 0"])
        }
    }
}
