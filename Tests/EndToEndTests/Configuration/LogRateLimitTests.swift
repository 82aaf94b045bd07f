import Testing

extension EndToEnd {
    /// The number of lines from a program that fails in a loop, by the clock of the probe.
    @Suite struct LogRateLimitTests {
        @Test func `There are twenty lines at once, and then one a second, which counts those left out`() async throws {
            let line =
                "tcp 203.0.113.10:80: proxy 10.99.0.1:1 cannot be connected to: connection refused; is the proxy running?"
            let lines = Array(repeating: line, count: 20) + [line + " (11 lines omitted)"]
            _ = try await CallProbe.run(
                "log-rate-limit", ["203.0.113.10", "80"], environment: ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1"],
                ending: Ending(errors: .lines(lines)))
        }
    }
}
