import Testing

extension EndToEnd {
    @Suite struct ConfigurationProbeTests {
        /// The lines of a program without a usable configuration: everything but the network works.
        private let unharmed = ConfigurationProbeTests.outcomes(
            connection: "ENETUNREACH", name: "EAI_FAIL", host: "NO_RECOVERY")

        private static func outcomes(
            connection: String, name: String, host: String, children: String = "ECHILD"
        ) -> [String] {
            let attempt = ["connect: \(connection)", "name: \(name)"]
            return ["file: 0", "AF_UNIX: 0", "AF_UNIX: 0"] + attempt + attempt
                + ["figures: 0", "datagram: \(connection)", "gethostbyname: \(host)", "children: \(children)"]
        }

        /// Runs a program whose destination would be reached without the library.
        private func meet(
            _ environment: [String: String], preparation: String = "", expecting outcomes: [String]? = nil
        ) async throws -> CallProbe.Output {
            let output = try await CallProbe.run(
                "unconfigured", ["10.99.0.1", "9"], environment: environment, preparation: preparation,
                ending: .logging)
            #expect(output.lines == outcomes ?? unharmed)
            #expect(output.errorLines.count == 1)
            return output
        }

        @Test func `A mistake in the file is told once, by its place, and nothing is connected to`() async throws {
            try await ConfigurationText("# a comment\n\n[ProxyList]\nsocks5 10.99.0.1 99999").write { path in
                let output = try await meet(["SOCKSIFY_CONF": path])
                #expect(output.errors.hasPrefix("socksify: \(path):4:18: "))
                #expect(output.errors.hasSuffix("; no connection will be made\n"))
            }
        }

        @Test func `A mistake in SOCKSIFY_PROXY is told once, and nothing is connected to`() async throws {
            let output = try await meet(["SOCKSIFY_PROXY": "socks5://10.99.0.1:99999"])
            #expect(output.errors.hasPrefix("socksify: SOCKSIFY_PROXY:20: "))
        }

        @Test func `A file that is named and missing is told once, and nothing is connected to`() async throws {
            let output = try await meet(["SOCKSIFY_CONF": "/nonexistent/socksify.conf"])
            #expect(output.errors.hasPrefix("socksify: /nonexistent/socksify.conf: "))
        }

        @Test func `No configuration at all is told once, and nothing is connected to`() async throws {
            let output = try await meet(
                ["HOME": "/nonexistent"], preparation: CallProbe.withoutConfiguration)
            #expect(output.errors.hasPrefix("socksify: no proxy is configured"))
        }

        /// Shell commands that make an unreadable file in place of the configuration, and the reason in the log.
        static let unreadable = [
            ("mkdir", "it is not a regular file"), ("mkfifo", "it is not a regular file"),
            ("ln -s socksify.conf", "too many symbolic links"), ("ln -s nowhere", "no such file or directory"),
            ("ln -s /proc/self/mem", "input/output error"),
            ("head -c 4194305 /dev/zero >", "it has more than 4194304 bytes"),
        ]

        @Test(arguments: unreadable)
        func `A file that is there and cannot be read is told once, and the next one does not count`(
            make: String, reason: String
        ) async throws {
            let folder = "mount -t tmpfs tmpfs /mnt; mkdir /mnt/socksify; \(make) /mnt/socksify/socksify.conf"
            try await ConfigurationText("[ProxyList]\nsocks5 10.99.0.1 1080").writeToHome { home in
                let output = try await meet(["HOME": home, "XDG_CONFIG_HOME": "/mnt"], preparation: folder)
                #expect(
                    output.errors == "socksify: /mnt/socksify/socksify.conf: this configuration file cannot be read: "
                        + "\(reason); no connection will be made\n")
            }
        }

        /// A file system whose server reads nothing, and one whose server leaves only the opening of the file
        /// unanswered: the process that opens it waits, and even SIGKILL does not end it.
        private static let silent = [
            (
                """
                exec 3<>/dev/fuse
                mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none /mnt
                """, "ECHILD"
            ),
            ("python3 \(Program.source("Files/silent.py")) /mnt $$", "0"),
        ]

        @Test(arguments: silent)
        func `A file whose file system does not answer is told once, and asked again by the next call`(
            server: String, children: String
        ) async throws {
            // The reader of the pipe must see the end of the output.
            let variables = "LD_PRELOAD=\(Machine.library) XDG_CONFIG_HOME=/mnt"
            let piped = try await
                "env \(variables) \(CallProbe.path(of: "unconfigured")) 10.99.0.1 9 2>&1 | grep -c ECHILD"
            let output = try await meet(
                ["XDG_CONFIG_HOME": "/mnt"], preparation: "\(server)\n\(piped) >/dev/null || true",
                expecting: ConfigurationProbeTests.outcomes(
                    connection: "ETIMEDOUT", name: "EAI_AGAIN", host: "TRY_AGAIN", children: children))
            #expect(
                output.errors == "socksify: /mnt/socksify/socksify.conf: this configuration file cannot be read: "
                    + "its file system does not answer; no connection will be made\n")
        }

        @Test
        func `A file that its user may not read is told once, be it by its folder; of a closed home nothing is known`()
            async throws
        {
            try Machine.needsRoot("only root of the machine can become another user")
            let probe = try await CallProbe.path(of: "unconfigured")
            let folder = try Machine.temporaryDirectory("home").path
            let script = """
                meet() { XDG_CONFIG_HOME=$1 setpriv --reuid 65534 --regid 65534 --clear-groups \(probe) 10.99.0.1 9 >&2; }
                for name in file folder; do
                    mkdir -pm 755 \(folder)/$name/socksify
                    echo >\(folder)/$name/socksify/socksify.conf
                done
                chmod 0 \(folder)/file/socksify/socksify.conf \(folder)/folder/socksify
                meet \(folder)/file
                meet \(folder)/folder
                chmod 0 \(folder)
                meet \(folder)/folder
                """
            let run = try await Client.run(
                ["unshare", "--mount", "sh", "-ec", "\(CallProbe.withoutConfiguration)\n\(script)"])
            let lines = run.error.split(separator: "\n").filter { $0.hasPrefix("socksify: ") }.map(String.init)
            let refused = ["file", "folder"].map {
                "socksify: \(folder)/\($0)/socksify/socksify.conf: this configuration file cannot be read: "
                    + "permission denied; no connection will be made"
            }
            #expect(
                lines == refused + [
                    "socksify: no proxy is configured; set SOCKSIFY_PROXY=socks5://HOST:PORT or write /etc/socksify.conf"
                        + "; no connection will be made"
                ], "\(run)")
        }

        @Test func `Proxies of SOCKSIFY_PROXY do not go without the file that is named beside them`() async throws {
            let output = try await meet(
                ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1", "SOCKSIFY_CONF": "/nonexistent/socksify.conf"])
            #expect(output.errors.hasPrefix("socksify: /nonexistent/socksify.conf: "))
        }

        @Test func `All programs of a tree together say once what is wrong`() async throws {
            let probe = try await CallProbe.path(of: "unconfigured")
            for number in 1...2 {
                let script = """
                    for number in 1 2 3 4 5; do \(probe) 10.99.0.1 9; done
                    sh -c '\(probe) 10.99.0.1 9; \(probe) 10.99.0.1 9 & wait'
                    env -i \(probe) 10.99.0.1 9
                    """
                let run = try await Client.run(["sh", "-c", script], proxy: "socks5://10.99.0.1:99999")
                // Another process tree logs the line again.
                let line = /socksify: SOCKSIFY_PROXY:20: [^\n]*; no connection will be made\n/
                #expect(run.error.wholeMatch(of: line) != nil, "run \(number): \(run)")
                #expect(run.output == String(repeating: unharmed.map { $0 + "\n" }.joined(), count: 8))
            }
        }

        @Test func `Another mistake in the same tree is told, too`() async throws {
            let probe = try await CallProbe.path(of: "unconfigured")
            let script = """
                \(probe) 10.99.0.1 9
                SOCKSIFY_PROXY=socks5://10.99.0.1:x \(probe) 10.99.0.1 9
                """
            let run = try await Client.run(["sh", "-c", script], proxy: "socks5://10.99.0.1:99999")
            let lines = run.error.split(separator: "\n")
            #expect(lines.map { $0.prefix(28) } == Array(repeating: "socksify: SOCKSIFY_PROXY:20:", count: 2), "\(run)")
            #expect(Set(lines).count == 2)
            #expect(run.output == String(repeating: unharmed.map { $0 + "\n" }.joined(), count: 2))
        }

        @Test func `A file without proxies is told by its name`() async throws {
            try await ConfigurationText("[ProxyList]\n").write { path in
                let output = try await meet(["SOCKSIFY_CONF": path])
                #expect(output.errors.hasPrefix("socksify: \(path): "), "\(output.errors)")
            }
        }

        @Test func `A list that no chain can be made of is told once, and nothing is connected to`() async throws {
            let text = "random_chain\nchain_len = 2\n[ProxyList]\nsocks5 10.99.0.1 1080"
            try await ConfigurationText(text).write { path in
                let output = try await meet(["SOCKSIFY_CONF": path])
                #expect(output.errors.hasPrefix("socksify: \(path):2:1: chain_len is 2, but the list has only 1"))
            }
        }
    }
}
