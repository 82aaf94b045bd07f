import TestProxy
import Testing

extension EndToEnd {
    /// Time limits, to the millisecond, by the clock of the probe: one millisecond before a limit is over, nothing has
    /// ended.
    @Suite struct TimeLimitTests {
        /// In milliseconds; longer than any test takes.
        private static let limit = 600_000
        private static let polls = ["poll", "ppoll", "select", "pselect"]
        private static let epolls = ["epoll_wait", "epoll_pwait", "epoll_pwait2"]

        private func check(
            _ name: String, _ arguments: [String] = [], limit: Int = limit, configuration: [String],
            prints lines: [String], ending: Ending = .clean, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let given = Pending.Case(
                probe: "limits", name: name, arguments: ["\(limit)"] + arguments, lines: lines, ending: ending)
            try await Pending.check(given, configuration: ["log off"] + configuration, sourceLocation: sourceLocation)
        }

        // MARK: Limits of the configuration

        private static let ends = ["poll": "IN|OUT|ERR|HUP", "select": "IN|OUT", "epoll_wait": "IN|OUT|ERR|HUP"]

        @Test(arguments: ["reached", "greeted", "half"], ends)
        func `An answer has its time`(stage: String, call: (key: String, value: String)) async throws {
            try await check(
                "looking", [stage, call.key], configuration: ["tcp_read_time_out \(Self.limit)"],
                prints: [
                    "at once: nothing", "just before: nothing", "at the end: \(call.value)", "error ETIMEDOUT",
                ])
        }

        @Test(arguments: ends)
        func `Each answer has its time, and a part of one is none`(call: (key: String, value: String)) async throws {
            try await check(
                "answers", [call.key], configuration: ["tcp_read_time_out \(Self.limit)"],
                prints: [
                    "reached: nothing", "greeted: nothing", "half: nothing", "at the end: \(call.value)",
                    "error ETIMEDOUT",
                ])
        }

        @Test(arguments: ends)
        func `The proxy's machine has its time`(call: (key: String, value: String)) async throws {
            try await check(
                "looking", ["unreached", call.key], configuration: ["tcp_connect_time_out \(Self.limit)"],
                prints: [
                    "at once: nothing", "TCP_USER_TIMEOUT is the limit", "just before: nothing",
                    "at the end: \(call.value)", "error ETIMEDOUT",
                ])
        }

        @Test func `A program that waits in connect gives the kernel the time of the proxy's machine`() async throws {
            try await check(
                "connecting", configuration: ["tcp_connect_time_out \(Self.limit)"],
                prints: ["SO_SNDTIMEO is the limit"])
        }

        @Test func `A program that waits in connect gives an answer its time`() async throws {
            try await check(
                "calling", ["patient"], configuration: ["tcp_read_time_out \(Self.limit)"],
                prints: ["just before: waits", "at the end: over", "told ETIMEDOUT"])
        }

        @Test(arguments: ["proxy", "server"], [(5000, 5000), (36_000_000, 10_000)])
        func `An answer to a question has ten seconds at most`(
            who: String, times: (given: Int, limit: Int)
        ) async throws {
            try await check(
                "asking", [who], limit: times.limit,
                configuration: ["dns tcp \(NameServers.host)", "tcp_read_time_out \(times.given)"],
                prints: ["at once: nothing", "just before: nothing", "at the end: IN", "answer SERVFAIL"])
        }

        @Test func `The end of a program waits two seconds for a datagram that has not left`() async throws {
            try await check(
                "ending", limit: 2000, configuration: [], prints: ["just before: waits"], ending: .associated(1))
        }

        @Test func `A proxy's name that nobody knew is looked up again after a second`() async throws {
            let output = try await ConfigurationText("log off\n[ProxyList]\nsocks5 later.test 1080").write { path in
                try await CallProbe.run(
                    "proxy-name", ["later.test", "1000"], environment: ["SOCKSIFY_CONF": path],
                    preparation: CallProbe.withoutNameServers
                        + "; cp /etc/hosts /mnt/hosts; mount --bind /mnt/hosts /etc/hosts")
            }
            #expect(
                output.lines == [
                    "unknown: EHOSTUNREACH", "just before: EHOSTUNREACH", "at the end: ECONNREFUSED",
                ], "\(output.errors)")
        }

        // MARK: Limits of the program's calls

        /// The proxy's time limit must never end a call.
        private static let patience = ["tcp_read_time_out \(60 * limit)"]

        @Test(arguments: [
            ("connect", "EINPROGRESS", 0), ("read", "EAGAIN", 0), ("write", "EAGAIN", 0), ("sendto", "EAGAIN", 1),
            ("recv", "EAGAIN", 1),
        ])
        func `A call ends when the time of the socket's option is over`(
            call: String, error: String, associations: Int
        ) async throws {
            try await check(
                "calling", [call], configuration: Self.patience,
                prints: ["just before: waits", "at the end: over", "told \(error)"], ending: .associated(associations))
        }

        @Test(arguments: polls + epolls)
        func `A wait ends when its time is over`(call: String) async throws {
            try await check(
                "waiting", [call], configuration: Self.patience,
                prints: ["just before: waits", "at the end: over", "told nothing"])
        }
    }
}
