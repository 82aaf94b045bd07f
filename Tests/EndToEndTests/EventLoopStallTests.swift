import TestProxy
import Testing

extension EndToEnd {
    /// An event loop goes round while its connections are under way.
    ///
    /// Nothing here depends on how fast anything is. The proxy answers nobody before as many connections wait for it
    /// as the program makes; a program whose connect(2) waits for the proxy never gets to its second connection.
    @Suite struct EventLoopStalls {
        init() async throws { try await Targets.shared.echo() }

        private static let host = "203.0.113.10"
        /// Seconds after which a program that waits for the proxy, which waits for it, is ended.
        private static let patience = 15

        private func targets(_ count: Int) -> [EventLoopProgram.Target] {
            Array(repeating: .init(host: EventLoopStalls.host, port: Targets.echoPort), count: count)
        }

        private func answers(_ count: Int) -> String {
            String(repeating: "\(EventLoopStalls.host)\n", count: count)
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

        /// The program makes 50 connections, one more when its timer has fired 20 times since, and the last after
        /// another 20 times. No greeting is answered before there are 51, no request before there are 52: each time
        /// the timer fires, all the connections that were made before are under way.
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

        /// What the test above needs of the programs, whatever the library does.
        @Test(arguments: EventLoopProgram.ticking)
        func `A program whose connections are not delayed makes all of them`(program: EventLoopProgram) async throws {
            let run = try await program.runNatively(targets(52), environment: ["TICKS": "20"])
            #expect(run.status == 0 && run.output == answers(52), "\(run)")
            #expect(run.error.contains("ms at most"))
        }

        /// Before it has said anything, and while it connects to the target.
        @Test(arguments: EventLoopProgram.all, [0, 2])
        func `A program gives up by its own timer when nobody answers`(
            program: EventLoopProgram, bytes: Int
        ) async throws {
            try await withProxy(.with { $0.fault = .init(.hang, after: bytes) }) { _, url in
                let run = try await program.run(
                    targets(2), proxy: url, environment: ["LIMIT": "300"], limit: EventLoopStalls.patience)
                #expect(run.output == "\(program.impatience)\n\(program.impatience)\n", "\(run)")
            }
        }
    }
}
