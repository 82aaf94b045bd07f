import Foundation
import TestProxy
import Testing

private let echo = "\(Targets.echoPort)"

extension EndToEnd {
    /// `socksify --direct`: traffic that goes direct whatever the rules of a file say.
    @Suite struct ToolDirect {
        init() async throws { try await Targets.shared.echo() }

        private func socksify(_ arguments: [String], environment: [String: String] = [:]) async throws -> Run {
            try await Client.run([Machine.tool] + arguments, environment: environment, mode: .bare)
        }

        private func exchange(_ host: String, _ port: String = echo) async throws -> [String] {
            [try await Probe.path, "exchange", host, port, "hello"]
        }

        @Test func `What --direct names goes direct, and all else through it`() async throws {
            let server = try await TargetServer.start(.echo, host: Machine.proxyIPv4, port: 0)
            let port = "\(server.port)"
            try await withProxy { proxy, url in
                for (pattern, isDirect) in [
                    ("10.99.0.0/24", true), ("10.99.0.1:\(port)", true), (".test,10.99.0.1", true),
                    ("10.99.0.0/24:22", false), ("203.0.113.0/24", false),
                ] {
                    let before = proxy.requests.count
                    let options = ["-x", url, "--direct", pattern]
                    let run = try await socksify(options + exchange("10.99.0.1", port))
                    #expect(run.output == "hello\n", "\(run)")
                    #expect(proxy.requests.count - before == (isDirect ? 0 : 1), "\(pattern)")
                    let said = try await socksify(options + ["--json", "--explain", "10.99.0.1:\(port)"])
                    #expect(said.output.contains(#""way": "\#(isDirect ? "direct" : "proxy")""#), "\(said)")
                }
            }
            await server.stop()
        }

        @Test func `What goes direct is handed on, and is said again inside`() async throws {
            try await withProxy { proxy, url in
                let inside = ["-x", url, "--direct", "b.test:22", "--print-config"]
                let run = try await socksify(
                    ["-x", url, "--direct", ".a.test", "sh", "-c", "\"$@\"", "sh", Machine.tool] + inside)
                #expect(run.status == 0, "\(run)")
                let rules = run.output.split(separator: "\n").filter { $0.hasPrefix("direct ") }
                #expect(rules == ["direct host b.test port 22", "direct host .a.test"], "\(run)")
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `A mistake in what goes direct keeps a command from running`() async throws {
            try await withProxy { proxy, url in
                let run = try await socksify(["-x", url, "--direct", "10.0.0.0/33", "echo", "was run"])
                #expect(run.status == 125 && run.output.isEmpty && run.error.contains("--direct, column 1: "), "\(run)")
                // If the variable is set without the tool, the library denies the network.
                let preloaded = try await Client.run(
                    exchange("203.0.113.10"), environment: ["SOCKSIFY_PROXY": url, "SOCKSIFY_DIRECT": "10.0.0.0/33"])
                #expect(preloaded.status != 0 && preloaded.error.contains("SOCKSIFY_DIRECT:1: "), "\(preloaded)")
                #expect(proxy.sessions.isEmpty)
            }
        }
    }
}
