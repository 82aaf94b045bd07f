import TestProxy
import Testing

extension EndToEnd {
    @Suite struct ProcessProbeTests {
        /// The lines of a program that connects.
        private let connected = ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"]

        /// Starts a program that connects, by `call` and with only `kept` in the environment.
        private func start(
            _ call: String, kept: [String: String] = [:], environment: [String: String]
        ) async throws -> [String] {
            var environment = environment
            if !kept.isEmpty {
                environment["PROBE_KEEP"] = kept.map { "\($0.key)=\($0.value)" }.joined(separator: "\n")
            }
            let program = try await CallProbe.path(of: "connecting")
            return try await CallProbe.run(
                "starting", [call, program, "blocking", FarSide.ipv4, FarSide.echoPort, "1"], environment: environment
            ).lines
        }

        @Test(arguments: [
            "execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve", "execveat", "SYS_execve",
            "SYS_execveat",
        ])
        func `A program that takes the place of another goes through the proxy, whatever its environment`(
            call: String
        ) async throws {
            try await TestProxy.during { proxy in
                let lines = try await start(call, environment: ["SOCKSIFY_PROXY": proxy.url])
                #expect(lines == connected)
                #expect(proxy.sessions.map(\.outcome) == [.relaying])
            }
        }

        @Test(arguments: ["posix_spawn", "posix_spawnp", "vfork"])
        func `A child goes through the proxy, whatever its environment`(call: String) async throws {
            try await TestProxy.during { proxy in
                let lines = try await start(call, environment: ["SOCKSIFY_PROXY": proxy.url])
                #expect(lines == connected + ["status 0"])
                #expect(proxy.sessions.map(\.outcome) == [.relaying])
            }
        }

        @Test(arguments: ["system", "popen"])
        func `A command of the shell goes through the proxy, and the program's environment stays empty`(
            call: String
        ) async throws {
            try await TestProxy.during { proxy in
                let lines = try await start(call, environment: ["SOCKSIFY_PROXY": proxy.url])
                #expect(lines == connected + ["environment still empty", "status 0"])
                #expect(proxy.sessions.map(\.outcome) == [.relaying])
            }
        }

        @Test(arguments: ["execve", "posix_spawn"])
        func `A child's own proxy is respected`(call: String) async throws {
            try await TestProxy.during { parents in
                try await TestProxy.during { childs in
                    let lines = try await start(
                        call, kept: ["SOCKSIFY_PROXY": childs.url], environment: ["SOCKSIFY_PROXY": parents.url])
                    #expect(lines.starts(with: connected))
                    #expect(parents.sessions.isEmpty)
                    #expect(childs.sessions.map(\.outcome) == [.relaying])
                }
            }
        }

        @Test func `Another preloaded library comes behind this one, and stays`() async throws {
            let other = try await CallProbe.path(of: "libearly.so")
            let child = try await CallProbe.path(of: "environment")
            let output = try await CallProbe.run(
                "starting", ["execve", child, "LD_PRELOAD", "SOCKSIFY_PROXY"],
                environment: ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1080", "PROBE_KEEP": "LD_PRELOAD=\(other)"])
            #expect(
                output.lines == [
                    "LD_PRELOAD=\(Machine.library):\(other)", "SOCKSIFY_PROXY=socks5://10.99.0.1:1080", "3 variables",
                ])
        }

        @Test func `An environment that lacks nothing is handed on as it is`() async throws {
            let child = try await CallProbe.path(of: "environment")
            let output = try await CallProbe.run(
                "starting", ["execve", child, "LD_PRELOAD", "SOCKSIFY_PROXY"],
                environment: [
                    "SOCKSIFY_PROXY": "socks5://10.99.0.1:1080",
                    "PROBE_KEEP": "SOCKSIFY_PROXY=socks5://10.99.0.1:9\nLD_PRELOAD=\(Machine.library)\n"
                        + "SOCKSIFY_TABLE=/its/own\nOTHER=1",
                ])
            #expect(
                output.lines == [
                    "LD_PRELOAD=\(Machine.library)", "SOCKSIFY_PROXY=socks5://10.99.0.1:9", "4 variables",
                ])
        }

        @Test(arguments: ["execve", "posix_spawn", "system"])
        func `A configuration that was found by HOME is handed on`(call: String) async throws {
            try await TestProxy.during { proxy in
                let configuration = ConfigurationText("[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)")
                let lines = try await configuration.writeToHome { try await start(call, environment: ["HOME": $0]) }
                #expect(lines.starts(with: connected))
                #expect(proxy.sessions.map(\.outcome) == [.relaying])
            }
        }

        @Test func `A configuration that was found by HOME is handed on by its path`() async throws {
            let child = try await CallProbe.path(of: "environment")
            let configuration = ConfigurationText("[ProxyList]\nsocks5 10.99.0.1 1080")
            try await configuration.writeToHome { home in
                let output = try await CallProbe.run(
                    "starting", ["execve", child, "HOME", "SOCKSIFY_CONF"], environment: ["HOME": home])
                #expect(
                    output.lines == [
                        "HOME=(not set)", "SOCKSIFY_CONF=\(home)/.config/socksify/socksify.conf", "3 variables",
                    ])
            }
        }

        @Test func `Very long environments and variables are completed`() async throws {
            try await TestProxy.during { proxy in
                let program = try await CallProbe.path(of: "connecting")
                let output = try await proxy.run("crowded", [program, FarSide.ipv4, FarSide.echoPort])
                #expect(output.lines == connected)
                #expect(proxy.sessions.map(\.outcome) == [.relaying])
            }
        }
    }
}
