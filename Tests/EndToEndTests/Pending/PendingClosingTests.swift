import Testing

extension EndToEnd {
    /// Sockets that a program closes while they are pending: the far side sees the end at once, and no descriptor is
    /// left.
    @Suite struct PendingClosingTests {
        private static let ways = [
            "close", "SYS_close", "close_range", "closefrom", "fclose", "dup2", "dup3", "both", "shutdown", "dissolved",
        ]

        /// The proxy's address. An IPv4 socket cannot connect to the second one, so the library replaces the socket.
        private static let addresses = ["127.0.41.4", "::1"]

        private func run(_ arguments: [String], at address: String) async throws -> CallProbe.Output {
            try await ConfigurationText("[ProxyList]\nsocks5 \(address) 1080").write { path in
                try await CallProbe.run("pending-closing", arguments, environment: ["SOCKSIFY_CONF": path])
            }
        }

        @Test(arguments: ways, addresses)
        func `The far side sees the end at once`(way: String, address: String) async throws {
            for stage in ["reached", "greeted", "half"] {
                for watchers in ["none", "epolls"] {
                    let output = try await run([way, address, stage, watchers], at: address)
                    #expect(
                        output.lines == ["the far side: the end", "epolls: nothing, nothing", "descriptors +0"],
                        "\(stage) \(watchers): \(output)")
                }
            }
        }

        @Test(arguments: ["close", "SYS_close", "close_range", "dup2", "dup3", "shutdown", "dissolved"])
        func `However many are closed, there is room for the next`(way: String) async throws {
            let output = try await run([way, "127.0.41.4", "often"], at: "127.0.41.4")
            #expect(output.lines == ["descriptors +0", "poll 1"] + Pending.connected, "\(output)")
        }
    }
}
