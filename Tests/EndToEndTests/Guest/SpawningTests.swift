import TestProxy
import Testing

extension EndToEnd {
    /// A program notices nothing of the variables that the library adds for its children.
    @Suite struct SpawningTests {
        private func run(_ name: String, _ environment: [String: String] = [:]) async throws -> [String] {
            let output = try await CallProbe.run(
                "spawning", [name],
                environment: environment.merging(["SOCKSIFY_PROXY": "socks5://10.99.0.1:1080"]) { given, _ in given })
            return output.lines
        }

        @Test func `The environment stays as it is while commands run`() async throws {
            #expect(try await run("threads") == ["system: unchanged", "status 0", "popen: unchanged", "status 0"])
        }

        @Test func `Commands of the shell mean what they say, and variables what they have`() async throws {
            let password = "a'b \"c $d"
            let shown = "<sh><0><1><\(password)><it's><a\\b><back>"
            #expect(
                try await run("quoting", ["SOCKSIFY_PASSWORD": password]) == [
                    shown, "status 0", "status 700", "status 0", "status f", "second line", "status 0", "a shell 1",
                    shown, "status 0",
                ])
        }

        @Test func `Children of vfork leave no memory in their parent`() async throws {
            #expect(try await run("vfork") == ["+0 pages", "+0 pages"])
        }

        @Test func `Calls that start programs leave no memory behind`() async throws {
            #expect(try await run("calls") == Array(repeating: "+0 pages", count: 5))
        }

        @Test func `Any number of variables is handed on`() async throws {
            try await TestProxy.during { proxy in
                let program = try await CallProbe.path(of: "connecting")
                var environment = ["SOCKSIFY_PROXY": proxy.url]
                for number in 0..<100 {
                    environment["SOCKSIFY_OTHER_\(number)"] = String(repeating: "x", count: number)
                }
                let output = try await CallProbe.run(
                    "starting", ["execve", program, "blocking", FarSide.ipv4, FarSide.echoPort, "1"],
                    environment: environment)
                #expect(output.lines.starts(with: ["0", "peer as connected to", "echoed"]), "\(output)")
                #expect(proxy.sessions.map(\.outcome) == [.relaying])
            }
        }
    }
}
