import TestProxy
import Testing

extension EndToEnd {
    /// Passwords from outside the configuration.
    @Suite struct PasswordSourceTests {
        init() async throws { try await Targets.shared.echo() }

        private let credentials = Credentials(user: "alice", password: "hunter2secret")

        /// Runs a program that connects through a proxy with a password; `url` makes the proxy's URL.
        private func exchange(
            environment: [String: String] = [:], by command: [String] = [], succeeds: Bool = true,
            _ url: (_ place: String) -> String
        ) async throws -> Run {
            var result: Run?
            try await withProxy(.with { $0.credentials = credentials }) { proxy, _ in
                let probe = try await Probe.path
                let run = try await Client.run(
                    command + [probe, "exchange", "203.0.113.10", "\(Targets.echoPort)", "hello"],
                    proxy: url("10.99.0.1:\(proxy.port)"), environment: environment,
                    ending: Ending(status: succeeds ? 0 : 2, errors: .any(because: "each case compares it")))
                #expect((run.output == "hello\n") == succeeds, "\(run)")
                #expect(proxy.sessions.map(\.credentials) == (succeeds ? [credentials] : []))
                #expect(!run.error.contains("hunter2"))
                result = run
            }
            return try #require(result)
        }

        private let secret = "hunter2secret\nanother line\n"

        @Test func `A password is read from a file`() async throws {
            let file = try Machine.file(secret, permissions: 0o600)
            let run = try await exchange(environment: ["SOCKSIFY_LOG": "warn"]) {
                "socks5://alice@\($0)?password-file=\(file)"
            }
            #expect(run.error.isEmpty, "\(run)")
        }

        @Test(arguments: [0o640, 0o604])
        func `A file that others can read is warned of`(permissions: Int) async throws {
            let file = try Machine.file(secret, permissions: permissions)
            let run = try await exchange(environment: ["SOCKSIFY_LOG": "warn"]) {
                "socks5://alice@\($0)?password-file=\(file)"
            }
            #expect(
                run.error == "socksify: \(file): this file has a password, and others than its owner can read it\n")
        }

        @Test func `A tree of processes is warned once`() async throws {
            let file = try Machine.file(secret, permissions: 0o644)
            let probe = try await Probe.path
            try await withProxy(.with { $0.credentials = credentials }) { proxy, _ in
                let run = try await Client.run(
                    [
                        "bash", "-c", "for i in 1 2 3; do \"$0\" exchange 203.0.113.10 \(Targets.echoPort) hello; done",
                        probe,
                    ],
                    proxy: "socks5://alice@10.99.0.1:\(proxy.port)?password-file=\(file)",
                    environment: [
                        "SOCKSIFY_LOG": "warn", "XDG_RUNTIME_DIR": Machine.temporaryDirectory("table").path,
                    ])
                #expect(run.output == "hello\nhello\nhello\n")
                #expect(
                    run.error == "socksify: \(file): this file has a password, and others than its owner can read it\n",
                    "\(run)")
            }
        }

        @Test(arguments: [
            (0o644, "alice hunter2secret", true), (0o600, "alice hunter2secret", false), (0o644, "", false),
        ])
        func `So is a configuration with a password`(permissions: Int, words: String, isWarned: Bool) async throws {
            let file = try Machine.file(
                "[ProxyList]\nsocks5 10.99.0.1 1 \(words)\n", name: "socksify.conf", permissions: permissions)
            _ = try await CallProbe.run(
                "containment-listening", ["10.99.0.2"], environment: ["SOCKSIFY_CONF": file, "SOCKSIFY_LOG": "warn"],
                ending: isWarned
                    ? .logging("\(file): this file has a password, and others than its owner can read it") : .clean)
        }

        @Test func `A password is taken from a variable`() async throws {
            _ = try await exchange(environment: ["PROXY_SECRET": "hunter2secret"]) {
                "socks5://alice@\($0)?password-env=PROXY_SECRET"
            }
        }

        @Test(arguments: [[], ["env", "-i"]])
        func `A user alone has the password of SOCKSIFY_PASSWORD, in children, too`(command: [String]) async throws {
            _ = try await exchange(environment: ["SOCKSIFY_PASSWORD": "hunter2secret"], by: command) {
                "socks5://alice@\($0)"
            }
        }

        @Test func `A variable that a child is not given leaves it without a proxy`() async throws {
            let run = try await exchange(
                environment: ["PROXY_SECRET": "hunter2secret"], by: ["env", "-i"], succeeds: false
            ) {
                "socks5://alice@\($0)?password-env=PROXY_SECRET"
            }
            #expect(
                run.error.contains(
                    "SOCKSIFY_PROXY:1: a user needs a password, and the environment variable 'PROXY_SECRET' is not set"),
                "\(run)")
        }

        @Test func `A password of a chain that another stands in the place of is not missed`() async throws {
            let file = try Machine.file(
                "[ProxyList]\nsocks5://bob@10.99.0.1:1?password-file=/nonexistent\n", name: "socksify.conf")
            let secret = try Machine.file(secret, permissions: 0o600)
            let run = try await exchange(environment: ["SOCKSIFY_CONF": file]) {
                "socks5://alice@\($0)?password-file=\(secret)"
            }
            #expect(run.error.isEmpty, "\(run)")
        }

        @Test func `A file that is not there is told, and nothing is connected to`() async throws {
            let run = try await exchange(succeeds: false) { "socks5://alice@\($0)?password-file=/nonexistent" }
            #expect(
                run.error.contains("SOCKSIFY_PROXY:1: the password file '/nonexistent' cannot be read; no connection"),
                "\(run)")
        }
    }
}
