import TestProxy
import Testing

extension EndToEnd {
    /// An event loop keeps running while its connections are pending.
    ///
    /// No result depends on speed. The proxy answers only when as many connections wait for it as the program makes. A
    /// program whose connect(2) waits for the proxy never makes its second connection.
    @Suite struct EventLoopStalls {
        init() async throws { try await Targets.shared.echo() }

        private static let host = "203.0.113.10"
        /// The time limit in seconds for a program that waits for the proxy while the proxy waits for it.
        private static let patience = 15

        private func targets(_ count: Int) -> [EventLoopProgram.Target] {
            Array(repeating: .init(host: EventLoopStalls.host, port: Targets.echoPort), count: count)
        }

        private func answers(_ count: Int) -> String {
            String(repeating: "\(EventLoopStalls.host)\n", count: count)
        }

        /// The number of connections that a program gave up; nil if it printed anything else.
        private func givenUp(_ run: Run, _ program: EventLoopProgram) -> Int? {
            let lines = run.output.split(separator: "\n")
            return lines.allSatisfy { $0.hasSuffix(program.impatience) } ? lines.count : nil
        }

        @Test(arguments: EventLoopProgram.all)
        func `All connections of an event loop are under way at the same time`(
            program: EventLoopProgram
        ) async throws {
            let script = Script.with { ($0.gatheredGreetings, $0.gatheredRequests) = (50, 50) }
            try await withProxy(script) { _, url in
                let run = try await program.run(targets(50), proxy: url, limit: EventLoopStalls.patience)
                #expect(run.status == 0 && run.output == answers(50), "\(run)")
            }
        }

        /// The program makes 50 connections, one more after its timer has fired 20 times, and the last after another 20
        /// times. The proxy answers no greeting before there are 51, and no request before there are 52. So each time
        /// the timer fires, all earlier connections are pending.
        @Test(arguments: EventLoopProgram.ticking)
        func `The timers of an event loop fire while connections are under way`(
            program: EventLoopProgram
        ) async throws {
            let script = Script.with { ($0.gatheredGreetings, $0.gatheredRequests) = (51, 52) }
            try await withProxy(script) { _, url in
                let run = try await program.run(
                    targets(52), proxy: url, environment: ["TICKS": "20"], limit: EventLoopStalls.patience)
                #expect(run.status == 0 && run.output == answers(52), "\(run)")
            }
        }

        /// The program behaves as the test above requires, without the library.
        @Test(arguments: EventLoopProgram.ticking)
        func `A program whose connections are not delayed makes all of them`(program: EventLoopProgram) async throws {
            let run = try await program.runNatively(targets(52), environment: ["TICKS": "20"])
            #expect(run.status == 0 && run.output == answers(52), "\(run)")
            #expect(run.error.contains("ms at most"))
        }

        /// The proxy stops before its first byte, or while it connects to the target.
        @Test(arguments: EventLoopProgram.all, [0, 2])
        func `A program gives up by its own timer when nobody answers`(
            program: EventLoopProgram, bytes: Int
        ) async throws {
            try await withProxy(.with { $0.fault = .init(.hang, after: bytes) }) { _, url in
                let run = try await program.run(
                    targets(2), proxy: url, environment: ["LIMIT": "300"], limit: EventLoopStalls.patience)
                #expect(givenUp(run, program) == 2, "\(run)")
            }
        }

        /// The test above knows the program's own message by its words.
        @Test(arguments: EventLoopProgram.all)
        func `A program gives up by its own timer without a proxy, too`(program: EventLoopProgram) async throws {
            let run = try await program.runNatively(
                [.init(host: TargetFailure.timedOut.ipv4, port: Targets.echoPort)], environment: ["LIMIT": "300"])
            #expect(givenUp(run, program) == 1, "\(run)")
        }

        // MARK: Existing programs

        private static let gathered = Script.with { ($0.gatheredGreetings, $0.gatheredRequests) = (20, 20) }
        private static let hanging = [0, 2].map { bytes in Script.with { $0.fault = .init(.hang, after: bytes) } }

        @Test func `All parallel transfers of curl are under way at the same time`() async throws {
            try await Targets.shared.http()
            let script = Script.with { ($0.gatheredGreetings, $0.gatheredRequests) = (200, 200) }
            try await withProxy(script) { _, url in
                let run = try await Client.run(
                    EventLoopTool.curl([.name, .ipv4]), proxy: url, limit: EventLoopStalls.patience)
                let lines = run.output.split(separator: "\n").map { "\($0)\n" }.sorted()
                #expect(run.status == 0 && lines == EventLoopTool.pages([.name, .ipv4]), "\(run)")
            }
        }

        @Test func `All connections of the HTTP client of Java are under way at the same time`() async throws {
            try await Targets.shared.http()
            let command = try await EventLoopTool.httpClient((1...20).map { EventLoopTool.url(.ipv4, "\($0)") })
            try await withProxy(EventLoopStalls.gathered) { _, url in
                let run = try await Client.run(command, proxy: url, limit: EventLoopStalls.patience)
                let expected = (1...20).map { EventLoopTool.answer(.ipv4, "\($0)") }.joined()
                #expect(run.status == 0 && run.output == expected, "\(run)")
            }
        }

        @Test func `All connections of nginx to its upstream are under way at the same time`() async throws {
            try await Targets.shared.http()
            let command = EventLoopTool.nginx((1...20).map { "/ipv4/\($0)" })
            try await withProxy(EventLoopStalls.gathered) { _, url in
                let run = try await Client.run(command, proxy: url, limit: EventLoopStalls.patience)
                let expected = (1...20).map { "200\n" + EventLoopTool.answer(.ipv4, "\($0)") }.joined()
                #expect(run.status == 0 && run.output == expected, "\(run)")
            }
        }

        @Test(arguments: ["epoll", "poll", "select"])
        func `All downloads of aria2c are under way at the same time`(poll: String) async throws {
            try await Targets.shared.http()
            let urls = (1...20).map { EventLoopTool.url(.ipv4, "\($0)") }
            try await withProxy(EventLoopStalls.gathered) { _, url in
                let run = try await Client.run(
                    EventLoopTool.aria2(poll: poll, urls: urls), proxy: url, limit: EventLoopStalls.patience)
                let expected = (1...20).map { EventLoopTool.answer(.ipv4, "\($0)") }.joined()
                #expect(run.status == 0 && run.output == expected, "\(run)")
            }
        }

        /// nmap begins with ten ports at once, and adds ports as answers come.
        @Test func `The ports that nmap scans are under way at the same time`() async throws {
            let script = Script.with {
                ($0.gatheredGreetings, $0.gatheredRequests) = (10, 10)
                $0.replyCodes = [81: 4]
            }
            try await withProxy(script) { _, url in
                let command = EventLoopTool.nmap(ports: "72-82,\(Targets.echoPort)", host: "203.0.113.10")
                let run = try await Client.run(command, proxy: url, limit: EventLoopStalls.patience)
                #expect(EventLoopTool.states(run) == ["81 filtered", "\(Targets.echoPort) open"], "\(run)")
            }
        }

        @Test(arguments: hanging) func `curl gives up by its own timer when nobody answers`(script: Script) async throws
        {
            try await withProxy(script) { _, url in
                let run = try await Client.run(
                    ["curl", "-sS", "--connect-timeout", "0.3", EventLoopTool.url(.ipv4, "")], proxy: url,
                    limit: EventLoopStalls.patience)
                // CURLE_OPERATION_TIMEDOUT; the message depends on which of curl's timers fired first.
                #expect(run.status == 28, "\(run)")
            }
        }

        @Test(arguments: hanging)
        func `The HTTP client of Java gives up by its own timer when nobody answers`(script: Script) async throws {
            let command = try await EventLoopTool.httpClient([EventLoopTool.url(.ipv4, "")])
            try await withProxy(script) { _, url in
                let run = try await Client.run(
                    command, proxy: url, environment: ["LIMIT": "300"], limit: EventLoopStalls.patience)
                #expect(run.output == "HttpConnectTimeoutException\n", "\(run)")
            }
        }

        @Test(arguments: hanging) func `nginx gives up by its own timer when nobody answers`(
            script: Script
        ) async throws {
            try await withProxy(script) { _, url in
                let run = try await Client.run(
                    EventLoopTool.nginx(["/impatient/"]), proxy: url, limit: EventLoopStalls.patience)
                #expect(run.output == "504\n", "\(run)")
                #expect(
                    run.error.contains("upstream timed out (110: Connection timed out) while connecting to upstream"),
                    "\(run)")
            }
        }

        @Test(arguments: hanging) func `aria2c gives up by its own timer when nobody answers`(
            script: Script
        ) async throws {
            try await withProxy(script) { _, url in
                let command = EventLoopTool.aria2(
                    poll: "epoll", "--connect-timeout=1", urls: [EventLoopTool.url(.ipv4, "")])
                let run = try await Client.run(command, proxy: url, limit: EventLoopStalls.patience)
                // aria2c(1) on status 2: "If time out occurred."
                #expect(run.status == 2 && run.error.contains("errorCode=2 Timeout."), "\(run)")
            }
        }

        @Test(arguments: hanging) func `nmap reports ports that nobody answers for as filtered`(
            script: Script
        ) async throws {
            try await withProxy(script) { proxy, url in
                let command = EventLoopTool.nmap(ports: "81,82", host: "203.0.113.10", time: "300ms", "--max-retries=0")
                let run = try await Client.run(command, proxy: url, limit: EventLoopStalls.patience)
                #expect(EventLoopTool.states(run) == ["81 filtered", "82 filtered"], "\(run)")
                // nmap has tried both ports.
                #expect(proxy.sessions.count >= 2)
            }
        }
    }
}
