import TestProxy
import Testing

private typealias Target = EventLoopProgram.Target

extension EndToEnd {
    /// Programs with many pending connections in one thread, for each of the usual event loops.
    @Suite struct EventLoops {
        init() async throws {
            try await Targets.shared.echo()
            try await Targets.shared.banner()
        }

        private static let targets = Way.allCases.flatMap { way in
            [Target(host: way.host, port: Targets.echoPort), Target(host: way.host, port: Targets.bannerPort)]
        }

        /// The output for `targets`, when the proxy sends `early` itself.
        private static func answers(early: String = "") -> String {
            targets.map { early + ($0.port == Targets.bannerPort ? "220 ready\r\n" : "") + "\($0.host)\n" }.joined()
        }

        @Test(arguments: EventLoopProgram.all)
        func `An event loop reaches all its targets, by name and by address`(program: EventLoopProgram) async throws {
            try await withProxy { proxy, url in
                let run = try await program.run(EventLoops.targets, proxy: url)
                #expect(run.status == 0 && run.output == EventLoops.answers(), "\(run)")
                let asked = EventLoops.targets.map { target in
                    "CONNECT \(target.host.contains(":") ? "[\(target.host)]" : target.host):\(target.port)"
                }
                // A set: glib looks up both address families of a name, and may try both.
                #expect(Set(proxy.requests) == Set(asked))
                #expect(proxy.sessions.allSatisfy { !$0.pipelined })
            }
        }

        @Test(arguments: EventLoopProgram.all)
        func `What comes in the segment of the reply reaches the event loop`(program: EventLoopProgram) async throws {
            try await withProxy(.with { $0.earlyData = Array("early\n".utf8) }) { _, url in
                let run = try await program.run(EventLoops.targets, proxy: url)
                #expect(run.status == 0 && run.output == EventLoops.answers(early: "early\n"), "\(run)")
            }
        }

        @Test(arguments: EventLoopProgram.all)
        func `An event loop understands a proxy that sends byte by byte and asks for a user`(
            program: EventLoopProgram
        ) async throws {
            let script = Script.with {
                $0.credentials = Credentials(user: "u", password: "p")
                $0.byteInterval = .milliseconds(2)
                $0.boundAddress = Address("a.bound.name")
            }
            try await withProxy(script) { proxy, url in
                let run = try await program.run(EventLoops.targets, proxy: url)
                #expect(run.status == 0 && run.output == EventLoops.answers(), "\(run)")
                #expect(!proxy.sessions.isEmpty && proxy.sessions.allSatisfy { !$0.pipelined })
            }
        }

        @Test(arguments: EventLoopProgram.all)
        func `An event loop is told of failing targets what it is told without a proxy`(
            program: EventLoopProgram
        ) async throws {
            let failures = [TargetFailure.refused, .hostUnreachable, .networkUnreachable]
            let hosts =
                failures.map(\.ipv4) + failures.map(\.ipv6) + ["web.test", "unreachable.test", "nonet.test"]
            var targets = hosts.map { Target(host: $0, port: Targets.closedPort) }
            // One target among them works.
            targets.insert(Target(host: Way.name.host, port: Targets.echoPort), at: 3)
            let native = try await program.runNatively(targets)
            #expect(native.output.split(separator: "\n").count == targets.count)
            try await withProxy { proxy, url in
                let run = try await program.run(targets, proxy: url)
                #expect(run.status == native.status)
                #expect(run.output == native.output)
                #expect(run.error == native.error)
                #expect(proxy.sessions.count >= targets.count)
            }
        }

        @Test(arguments: EventLoopProgram.all)
        func `An event loop is told that a target timed out`(program: EventLoopProgram) async throws {
            try await withProxy(.with { $0.replyCode = 6 }) { _, url in
                let run = try await program.run([Target(host: "203.0.113.10", port: Targets.echoPort)], proxy: url)
                #expect(run.output.contains("ETIMEDOUT") || run.output.contains("Connection timed out"), "\(run)")
            }
        }

        @Test(arguments: EventLoopProgram.all, [0, 2])
        func `An event loop is told when a proxy does not answer in the configured time`(
            program: EventLoopProgram, bytes: Int
        ) async throws {
            try await withProxy(.with { $0.fault = .init(.hang, after: bytes) }) { _, url in
                let run = try await program.run(
                    [Target(host: "203.0.113.10", port: Targets.echoPort)],
                    configuration: configuration("tcp_read_time_out 100", "tcp_connect_time_out 600000", urls: [url]))
                #expect(run.output.contains("ETIMEDOUT") || run.output.contains("Connection timed out"), "\(run)")
            }
        }

        /// The packet counter notices a connection that passes the proxy.
        @Test(arguments: EventLoopProgram.all)
        func `Without the library an event loop reaches nothing`(program: EventLoopProgram) async throws {
            let run = try await program.run(
                [Target(host: "203.0.113.10", port: Targets.echoPort)], mode: .bare, strays: nil)
            #expect(run.output.contains("ENETUNREACH") || run.output.contains("Network is unreachable"), "\(run)")
            #expect(run.strayPackets > 0)
        }
    }
}
