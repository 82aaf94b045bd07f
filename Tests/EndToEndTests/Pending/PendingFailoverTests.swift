import Testing

extension EndToEnd {
    /// A connection whose first proxy fails and that continues with the second: the program sees only the outcome of
    /// the second.
    @Suite struct PendingFailoverTests {
        private static let calls = ["connect", "edge", "both", "poll", "twice", "select", "epoll_wait"]
        private static let faults = ["gone", "late", "far", "close", "reset", "garbage", "no-method"]

        private static func lines(_ first: String, _ second: String, by call: String, timeouts: String) -> [String] {
            let own = timeouts == "own" ? "timeouts 90000, 100.000000" : "timeouts 0, 0.000000"
            let error = ["good": "0", "no-method": "EACCES", "far": "ENETUNREACH"][second] ?? "ECONNREFUSED"
            // The kernel ended both attempts itself, the second one at once, so it has no error to report.
            let failure = first == "late" && second == "far" ? "IN|OUT|HUP" : "IN|OUT|ERR|HUP"
            let hangUp = ["edge", "both"].contains(call) ? "|RDHUP" : ""
            let events = second == "good" ? "OUT" : call == "select" ? "IN|OUT" : failure + hangUp
            let waited =
                switch call {
                case "connect": ["connect \(error)"]
                case "edge": ["connect EINPROGRESS", "told F: \(events)", "then nothing"]
                case "both": ["connect EINPROGRESS", "told F: \(events), G: \(events)"]
                // The second entry of the set asks for no IN.
                case "twice":
                    ["connect EINPROGRESS", "told 2: \(events), \(events.dropFirst(second == "good" ? 0 : 3))"]
                default: ["connect EINPROGRESS", "told \(events)"]
                }
            let end =
                second == "good"
                ? Pending.connected : ["error \(call == "connect" ? "0" : error)", "error 0", "peer ENOTCONN"]
            return waited + [own] + (second == "good" ? ["error 0"] : []) + end + [own]
        }

        private static func run(
            _ first: String, _ second: String, by call: String, timeouts: String
        ) async throws {
            let address = "127.0.41.5"
            func place(_ fault: String) -> String { fault == "far" ? "192.0.2.1" : address }
            let text = [
                "tcp_connect_time_out 60000", "failover_chain", "chain_len = 1", "dead_time 0", "[ProxyList]",
                "socks5 \(place(first)) 1080", "socks5 \(place(second)) 1081",
            ]
            let output = try await ConfigurationText(text.joined(separator: "\n")).write { path in
                try await CallProbe.run(
                    "pending-failover", [first, address, second, call, timeouts], environment: ["SOCKSIFY_CONF": path],
                    ending: second == "good" ? .clean : .logging)
            }
            #expect(
                output.lines == lines(first, second, by: call, timeouts: timeouts), "\(first) \(second): \(output)")
        }

        @Test(arguments: calls, ["own", "none"])
        func `Nothing of a failed attempt is seen where the next one succeeds`(
            call: String, timeouts: String
        ) async throws {
            for first in PendingFailoverTests.faults {
                try await PendingFailoverTests.run(first, "good", by: call, timeouts: timeouts)
            }
        }

        @Test(arguments: calls) func `Where both fail the last error counts`(call: String) async throws {
            for first in PendingFailoverTests.faults where first != "no-method" {
                try await PendingFailoverTests.run(first, "no-method", by: call, timeouts: "own")
            }
            // "reset" is missing: after RST the kernel may already have reported the error.
            for second in ["gone", "far", "close", "garbage"] {
                try await PendingFailoverTests.run("no-method", second, by: call, timeouts: "own")
            }
            try await PendingFailoverTests.run("late", "far", by: call, timeouts: "own")
        }

        @Test func `The kernel tells a single attempt the same`() async throws {
            try await Pending.checkNatively(
                PendingFailoverTests.calls.flatMap { call in
                    ["good", "gone"].map { second in
                        Pending.Case(
                            probe: "pending-failover", name: "-", arguments: [second, call, "own"],
                            lines: PendingFailoverTests.lines("-", second, by: call, timeouts: "own"))
                    }
                })
        }
    }
}
