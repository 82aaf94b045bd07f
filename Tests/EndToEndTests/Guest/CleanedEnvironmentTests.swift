import TestProxy
import Testing

extension EndToEnd {
    /// Programs that start others with an environment of their own: the others go through the proxy, too.
    @Suite struct CleanedEnvironmentTests {
        init() async throws { try await Targets.shared.echo() }

        /// A way to start a program: the command starts the program in `"$@"`, `sys.argv[1:]` and the like.
        struct Start: CustomTestStringConvertible, Sendable {
            var name: String
            var command: [String]
            var testDescription: String { name }
        }

        private static func shell(_ name: String, _ script: String) -> Start {
            Start(name: name, command: ["sh", "-c", script, "sh"])
        }
        private static func python(_ name: String, _ line: String) -> Start {
            Start(name: name, command: ["/usr/bin/python3", "-c", "import os, subprocess, sys; \(line)"])
        }

        static let starts = [
            Start(name: "env -i", command: ["env", "-i"]),
            Start(
                name: "env -i, nested", command: ["env", "-i", "/usr/bin/env", "-i", "/bin/sh", "-c", "\"$@\"", "sh"]),
            Start(name: "env -u LD_PRELOAD", command: ["env", "-u", "LD_PRELOAD", "-u", "SOCKSIFY_PROXY"]),
            Start(name: "setpriv --reset-env", command: ["setpriv", "--reset-env"]),
            shell("unset", "unset LD_PRELOAD SOCKSIFY_PROXY; \"$@\""),
            shell("empty LD_PRELOAD", "LD_PRELOAD= \"$@\""),
            shell("exec", "unset LD_PRELOAD SOCKSIFY_PROXY; exec \"$@\""),
            shell("background", "unset LD_PRELOAD SOCKSIFY_PROXY; \"$@\" & wait"),
            python("python3, env={}", "subprocess.run(sys.argv[1:], env={}, check=True)"),
            python(
                "python3, env={}, own descriptors", "subprocess.run(sys.argv[1:], env={}, check=True, pass_fds=[1])"),
            python("python3, posix_spawn", "os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], {}), 0)"),
            python("python3, clearenv", "os.environ.clear(); os.execv(sys.argv[1], sys.argv[1:])"),
            python("python3, fork", "os.fork() or os.execve(sys.argv[1], sys.argv[1:], {}); os.wait()"),
            Start(
                name: "node, env {}",
                command: [
                    "node", "-e",
                    """
                    const [program, ...rest] = process.argv.slice(1);
                    require("child_process").spawnSync(program, rest, {env: {}, stdio: "inherit"});
                    """, "--",
                ]),
            Start(name: "perl", command: ["perl", "-e", "%ENV = (); system @ARGV"]),
        ]

        @Test(arguments: starts)
        func `A child with an emptied environment goes through the proxy`(start: Start) async throws {
            try await withProxy { proxy, url in
                let probe = try await Probe.path
                let run = try await Client.run(
                    start.command + [probe, "exchange", "web.test", "\(Targets.echoPort)", "hello"], proxy: url)
                #expect(run.output == "hello\n", "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(Targets.echoPort)"])
            }
        }

        @Test(arguments: ["posix_spawn", "posix_spawnp", "vfork", "execve", "execvpe", "fexecve", "SYS_execve"])
        func `A child without an environment goes through the proxy`(call: String) async throws {
            try await TestProxy.during { proxy in
                let program = try await CallProbe.path(of: "connecting")
                let output = try await CallProbe.run(
                    "starting", [call, program, "blocking", FarSide.ipv4, FarSide.echoPort, "1"],
                    environment: ["SOCKSIFY_PROXY": proxy.url, "PROBE_NO_ENVIRONMENT": "1"])
                #expect(output.lines.starts(with: ["0", "peer as connected to", "echoed"]), "\(output)")
                #expect(proxy.requests.count == 1)
            }
        }

        @Test func `A password that the environment brought is handed on with it`() async throws {
            try await withProxy { _, url in
                let run = try await Client.run(
                    ["env", "-i", "/usr/bin/printenv", "SOCKSIFY_PASSWORD"], proxy: url,
                    environment: ["SOCKSIFY_PASSWORD": "s3cret"])
                #expect(run.output == "s3cret\n", "\(run)")
            }
        }
    }
}
