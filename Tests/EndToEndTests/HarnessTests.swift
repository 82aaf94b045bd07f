import TestProxy
import Testing

extension EndToEnd {
    /// Tests of the harness: it notices a program that passes the proxy, and ends one that does not end by itself.
    @Suite struct Harness {
        @Test(arguments: ["203.0.113.10", "2001:db8::10"])
        func `A program that goes past the proxy reaches nothing and is noticed`(host: String) async throws {
            try await Targets.shared.echo()
            let probe = try await Probe.path
            let run = try await Client.run(
                [probe, "connect", host, "\(Targets.echoPort)"], mode: .bare, strays: nil)
            #expect(run.output == "ENETUNREACH\nleft open: 0\n")
            #expect(run.strayPackets == 1)
        }

        @Test func `A name that is asked for past the proxy is noticed`() async throws {
            let run = try await Client.run(["getent", "ahosts", "web.test"], mode: .bare, strays: nil)
            #expect(run.status == 2)
            #expect(run.strayPackets > 0)
        }

        @Test func `A program that does not end is ended, and fails the test`() async throws {
            await #expect(throws: Client.TimedOut.self) {
                try await Client.run(["sleep", "100"], mode: .bare, limit: 1)
            }
        }

        @Test func `The targets can be reached from their own side`() async throws {
            try await Targets.shared.echo()
            for way in Way.allCases {
                #expect(
                    try await Probe.runNatively("exchange", way.host, "\(Targets.echoPort)", "hello") == ["hello"])
            }
        }

        @Test(arguments: [
            ("203.0.113.10", "ECONNREFUSED"), ("2001:db8::10", "ECONNREFUSED"), ("203.0.113.66", "EHOSTUNREACH"),
            ("2001:db8::66", "EHOSTUNREACH"), ("192.0.2.1", "ENETUNREACH"), ("2001:db8:1::1", "ENETUNREACH"),
            ("203.0.113.99", "ETIMEDOUT"), ("2001:db8::99", "ETIMEDOUT"),
        ])
        func `Targets fail as they are made to`(host: String, errno: String) async throws {
            #expect(try await Probe.runNatively("connect", host, "\(Targets.closedPort)").first == errno)
        }
    }
}
