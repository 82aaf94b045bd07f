import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Sections of the configuration for single programs.
    @Suite struct ProgramSectionTests {
        init() async throws { try await Targets.shared.echo() }

        /// Runs a command under a configuration with these sections.
        private func run(_ command: [String], sections: String) async throws -> Run {
            var result: Run?
            try await withProxy { proxy, _ in
                let text = "[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)\n\(sections)\n"
                result = try await Client.run(command, configuration: text)
            }
            return try #require(result)
        }

        private func probe() async throws -> String { try await Probe.path }
        private let exchange = ["exchange", "203.0.113.10", "\(Targets.echoPort)", "hello"]

        @Test func `A section counts for its program, by name or by path, and for no other`() async throws {
            let probe = try await probe()
            for (pattern, isBlocked) in [
                ("probe", true), (probe, true), ("*/probe", true), ("pro*", true), ("curl probe", true),
                ("curl", false), ("prob", false), ("/usr/bin/*", false),
            ] {
                let run = try await run([probe] + exchange, sections: "[App \(pattern)]\nblock unreachable")
                #expect(run.output.contains("hello") != isBlocked, "\(pattern) \(run)")
                #expect(run.output.contains("EHOSTUNREACH") == isBlocked, "\(pattern) \(run)")
            }
        }

        @Test func `A child has the section of its own program`() async throws {
            let probe = try await probe()
            let arguments = exchange.joined(separator: " ")
            let script = """
                exec 3<>/dev/tcp/203.0.113.10/\(Targets.echoPort) && echo shell connected
                \(probe) \(arguments)
                """
            let shell = try await run(["bash", "-c", script], sections: "[App bash]\nblock")
            #expect(shell.output == "hello\n", "\(shell)")
            let child = try await run(["bash", "-c", script], sections: "[App probe]\nblock")
            #expect(child.output.hasPrefix("shell connected\n") && !child.output.contains("hello"), "\(child)")
        }

        @Test(arguments: [("client.py", true), ("*/scripts/client.py", true), ("python3", true), ("other.py", false)])
        func `A script has the section of its name, or of its interpreter`(
            pattern: String, isBlocked: Bool
        ) async throws {
            let folder = try Machine.temporaryDirectory().appending(path: "scripts")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let (text, script) = (folder.appending(path: "text").path, folder.appending(path: "client.py").path)
            try """
            #!/usr/bin/python3
            import socket
            socket.create_connection(("203.0.113.10", \(Targets.echoPort)))
            print("connected")
            """.write(toFile: text, atomically: false, encoding: .utf8)
            try await Client.copyProgram(text, to: script)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
            for command in [[script], ["/usr/bin/python3", "-u", script]] {
                let run = try await run(command, sections: "[App \(pattern)]\nblock")
                #expect((run.output == "connected\n") == !isBlocked, "\(run)")
            }
        }

        @Test func `A program is known by a link to it, and by the name that it was given`() async throws {
            let link = try Machine.temporaryDirectory().appending(path: "alias").path
            try await FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: probe())
            for (pattern, command) in [
                ("alias", [link]), (link, ["bash", "-c", "exec -a other \"$0\" \"$@\"", link]),
                ("given", try await ["bash", "-c", "exec -a given \"$0\" \"$@\"", probe()]),
            ] {
                let run = try await run(command + exchange, sections: "[App \(pattern)]\nblock unreachable")
                #expect(run.output.contains("EHOSTUNREACH"), "\(pattern) \(run)")
            }
        }

        @Test func `A program whose file was replaced keeps its section`() async throws {
            let copy = try Machine.temporaryDirectory().appending(path: "replaced").path
            try await Client.copyProgram(probe(), to: copy)
            let run = try await run(
                ["bash", "-c", "exec 3<\"$0\"; rm \"$0\"; exec /proc/self/fd/3 \"$@\"", copy] + exchange,
                sections: "[App replaced]\nblock unreachable")
            #expect(run.output.contains("EHOSTUNREACH"), "\(run)")
        }
    }
}
