import Foundation
import TestProxy
import Testing

private let echo = "\(Targets.echoPort)"

extension EndToEnd {
    /// The command line tool.
    @Suite struct Tool {
        init() async throws { try await Targets.shared.echo() }

        /// Runs the installed tool with nothing preloaded.
        private func socksify(
            _ arguments: [String], environment: [String: String] = [:], directory: String? = nil, strays: Int? = 0,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> Run {
            try await Client.run(
                [Machine.tool] + arguments, environment: environment, directory: directory, mode: .bare,
                strays: strays, sourceLocation: sourceLocation)
        }

        private func exchange() async throws -> [String] {
            [try await Probe.path, "exchange", "web.test", echo, "hello"]
        }

        // MARK: Choosing the proxy

        @Test func `A command goes through the proxy of -x`() async throws {
            try await withProxy { proxy, url in
                for arguments in [["-x", url], ["--proxy", url], ["--proxy=\(url)"], ["-x", url, "--"]] {
                    let run = try await socksify(arguments + exchange())
                    #expect(run.status == 0 && run.output == "hello\n" && run.error.isEmpty, "\(run)")
                }
                #expect(proxy.requests == Array(repeating: "CONNECT web.test:\(echo)", count: 4))
            }
        }

        @Test func `Several -x make a chain, the nearest first`() async throws {
            let second = try await TestProxy.start(host: "203.0.113.11")
            try await withProxy { first, url in
                let run = try await socksify(
                    ["-x", url, "-x", "socks5://203.0.113.11:\(second.port)"] + exchange())
                #expect(run.output == "hello\n", "\(run)")
                #expect(first.requests == ["CONNECT 203.0.113.11:\(second.port)"])
                #expect(second.requests == ["CONNECT web.test:\(echo)"])
            }
            await second.stop()
        }

        @Test func `A command goes through the proxies of -f, in proxychains' language`() async throws {
            try await withProxy(.with { $0.credentials = Credentials(user: "u", password: "p") }) { proxy, _ in
                let file = try Machine.file(
                    "strict_chain\nproxy_dns\n[ProxyList]\nsocks5 \(proxy.host) \(proxy.port) u p\n")
                let run = try await socksify(["-f", file] + exchange())
                #expect(run.output == "hello\n", "\(run)")
                #expect(proxy.sessions.first?.credentials == Credentials(user: "u", password: "p"))
            }
        }

        @Test func `A file that is named relative to the directory holds for commands elsewhere`() async throws {
            try await withProxy { proxy, _ in
                let file = try Machine.file("strict_chain\n[ProxyList]\nsocks5 \(proxy.host) \(proxy.port)\n")
                let directory = URL(filePath: file).deletingLastPathComponent().path
                let run = try await socksify(
                    ["-f", "file", "sh", "-c", "cd / && \"$@\"", "sh"]
                        + [Probe.path, "exchange", "203.0.113.10", echo, "hello"],
                    directory: directory)
                #expect(run.output == "hello\n", "\(run)")
                #expect(proxy.sessions.count == 1)
            }
        }

        @Test func `Without options the environment says the proxy`() async throws {
            try await withProxy { proxy, url in
                let run = try await socksify(exchange(), environment: ["SOCKSIFY_PROXY": url])
                #expect(run.output == "hello\n", "\(run)")
                #expect(proxy.sessions.count == 1)
            }
        }

        @Test func `Options go before the environment`() async throws {
            try await withProxy { unused, other in
                try await withProxy { proxy, url in
                    let run = try await socksify(
                        ["-x", url] + exchange(), environment: ["SOCKSIFY_PROXY": other])
                    #expect(run.output == "hello\n", "\(run)")
                    #expect(proxy.sessions.count == 1 && unused.sessions.isEmpty)
                }
            }
        }

        @Test func `A proxy is given by name too, which is resolved without itself`() async throws {
            try await withProxy { proxy, _ in
                let run = try await socksify(["-x", "socks5://proxy.test:\(proxy.port)"] + exchange())
                #expect(run.output == "hello\n", "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(echo)"])
                // The tool must ask a name server for this name.
                let unknown = try await socksify(
                    ["-x", "socks5://nowhere.test:\(proxy.port)"] + exchange(), strays: nil)
                #expect(unknown.status == 125 && unknown.output.isEmpty, "\(unknown)")
                #expect(unknown.error.contains("nowhere.test"))
            }
        }

        // MARK: Exit status

        @Test(arguments: [0, 1, 42, 125, 255])
        func `The exit status is the command's own`(status: Int) async throws {
            try await withProxy { _, url in
                let run = try await socksify(["-x", url, "sh", "-c", "exit \(status)"])
                #expect(run.status == status && run.error.isEmpty, "\(run)")
            }
        }

        @Test func `A command that a signal ends ends so`() async throws {
            try await withProxy { _, url in
                let run = try await socksify(["-x", url, "sh", "-c", "kill -TERM $$"])
                #expect(run.status == 128 + 15, "\(run)")
            }
        }

        @Test func `A command that is not there gives 127, one that cannot be run 126`() async throws {
            try await withProxy { _, url in
                for (command, status) in [
                    ("no-such-command", 127), ("/no/such/command", 127), ("/etc/passwd", 126), ("/etc", 126),
                ] {
                    let run = try await socksify(["-x", url, command])
                    #expect(run.status == status, "\(run)")
                    #expect(run.error.hasPrefix("socksify: \(command): "), "\(run)")
                }
            }
        }

        @Test(arguments: [
            [], ["--"], ["--no-such-option", "true"], ["-x"], ["-x", "ftp://10.99.0.1:21", "true"],
            ["-x", "socks5://10.99.0.1:99999", "true"], ["-q", "-v", "-x", "socks5://10.99.0.1:1", "true"],
            ["-f", "/no/such/file", "true"],
        ])
        func `What is wrong with the options gives 125 and a reason`(arguments: [String]) async throws {
            let run = try await socksify(arguments)
            #expect(run.status == 125 && run.output.isEmpty, "\(run)")
            #expect(run.error.hasPrefix("socksify: "), "\(run)")
        }

        @Test func `Without any configuration it says what to do`() async throws {
            let run = try await Client.run(
                ["unshare", "--mount", "sh", "-ec", "\(CallProbe.withoutConfiguration); exec \"$@\"", "sh"]
                    + [Machine.tool, "true"], mode: .bare)
            #expect(run.status == 125, "\(run)")
            #expect(run.error.contains("socksify -x socks5://"), "\(run)")
        }

        @Test func `A mistake in a file is told by file, line and column, and nothing is run`() async throws {
            let file = try Machine.file("strict_chain\n[ProxyList]\nsocks5 10.99.0.1 port\n", name: "bad.conf")
            let run = try await socksify(["-f", file, "echo", "was run"])
            #expect(run.status == 125 && run.output.isEmpty, "\(run)")
            #expect(run.error.contains("\(file):3:18: "), "\(run)")
        }

        // MARK: Options and arguments

        @Test func `Options of the command are the command's`() async throws {
            try await withProxy { _, url in
                let run = try await socksify(["-x", url, "echo", "-x", "--help", "--", "-q"])
                #expect(run.output == "-x --help -- -q\n", "\(run)")
            }
        }

        @Test func `--version and --help are answered on standard output`() async throws {
            let version = try await socksify(["--version"])
            #expect(version.status == 0 && version.error.isEmpty, "\(version)")
            #expect(version.output.contains(/^socksify \d+\.\d+/), "\(version)")
            let help = try await socksify(["--help"])
            #expect(help.status == 0 && help.error.isEmpty, "\(help)")
            for option in ["-x", "-f", "-q", "-v", "--version"] { #expect(help.output.contains(option)) }
        }

        @Test func `-v tells of each connection, nothing and -q do not`() async throws {
            try await withProxy { _, url in
                let loud = try await socksify(["-v", "-x", url] + exchange())
                #expect(loud.output == "hello\n")
                #expect(loud.error.contains("web.test:\(echo)"), "\(loud)")
                for option in [[], ["-q"]] {
                    let quiet = try await socksify(option + ["-x", url] + exchange())
                    #expect(quiet.output == "hello\n" && quiet.error.isEmpty, "\(quiet)")
                }
            }
        }

        @Test func `-q keeps quiet of a proxy that fails`() async throws {
            try await withProxy(.with { $0.chosenMethod = 0xff }) { _, url in
                let connect = try await [Probe.path, "connect", "203.0.113.10", echo]
                let plain = try await socksify(["-x", url] + connect)
                #expect(plain.error.split(separator: "\n").count == 1, "\(plain)")
                #expect(plain.error.contains("203.0.113.10:\(echo)"), "\(plain)")
                let quiet = try await socksify(["-q", "-x", url] + connect)
                #expect(quiet.error.isEmpty, "\(quiet)")
            }
        }

        // MARK: Shells

        @Test func `Variables of --env have a shell go through the proxy, and its end is its own`() async throws {
            try await withProxy { proxy, url in
                let script = """
                    eval "$('\(Machine.tool)' -x '\(url)' --env)"
                    '\(try await exchange().joined(separator: "' '"))'; exit 3
                    """
                for shell in ["sh", "bash"] {
                    let run = try await Client.run([shell, "-c", script], mode: .bare)
                    #expect(run.status == 3 && run.output == "hello\n" && run.error.isEmpty, "\(run)")
                }
                #expect(proxy.requests == Array(repeating: "CONNECT web.test:\(echo)", count: 2))
            }
        }

        @Test func `What is started in the shell of --shell goes through the proxy`() async throws {
            try await withProxy { proxy, url in
                let command = try await exchange().joined(separator: "' '")
                let run = try await Client.run(
                    [Machine.tool, "-x", url, "--shell"], environment: ["SHELL": "/bin/sh"],
                    input: "'\(command)'\nexit 4\n", mode: .bare)
                #expect(run.status == 4 && run.output == "hello\n", "\(run)")
                #expect(run.error.contains("go through socks5 \(proxy.host):\(proxy.port)"), "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(echo)"])
            }
        }

        // MARK: Passwords

        @Test func `No command line but the tool's has a password, no environment that of a file`() async throws {
            let look = ["sh", "-c", "tr '\\0' '\\n' </proc/$$/$0"]
            let typed = ["-x", "socks5://u:s3cret@10.99.0.1:1"]
            let commands = try await socksify(typed + look + ["cmdline"])
            #expect(commands.output.hasSuffix("\ncmdline\n") && !commands.output.contains("s3cret"), "\(commands)")
            let environment = try await socksify(typed + look + ["environ"])
            #expect(environment.output.contains("s3cret"), "\(environment)")

            let file = try Machine.file("s3cret\n", permissions: 0o600)
            let read = try await socksify(["-x", "socks5://u@10.99.0.1:1?password-file=\(file)"] + look + ["environ"])
            #expect(read.error.isEmpty && !read.output.contains("s3cret"), "\(read)")
            #expect(read.output.contains("\nSOCKSIFY_PROXY=socks5://u@10.99.0.1:1?password-file=\(file)\n"))
        }

        // MARK: The tool's place, and programs that it cannot run

        @Test func `The library is found beside the tool, wherever both are, also through a link`() async throws {
            let root = try Machine.temporaryDirectory("prefix")
            for part in ["bin", "lib", "elsewhere"] {
                try FileManager.default.createDirectory(
                    at: root.appending(path: part), withIntermediateDirectories: true)
            }
            let (tool, link) = (root.appending(path: "bin/socksify"), root.appending(path: "elsewhere/socksify"))
            try await Client.copyProgram(Machine.tool, to: tool.path)
            try FileManager.default.copyItem(
                atPath: Machine.library, toPath: root.appending(path: "lib/libsocksify.so").path)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: tool)
            try await withProxy { _, url in
                for path in [tool.path, link.path] {
                    let run = try await Client.run([path, "-x", url, "printenv", "LD_PRELOAD"], mode: .bare)
                    #expect(run.output == "\(root.path)/lib/libsocksify.so\n", "\(run)")
                }
                try FileManager.default.removeItem(at: root.appending(path: "lib/libsocksify.so"))
                let run = try await Client.run([tool.path, "-x", url, "true"], mode: .bare)
                #expect(run.status == 125 && run.error.contains("libsocksify.so"), "\(run)")
            }
        }

        @Test func `What is preloaded already stays so`() async throws {
            try await withProxy { _, url in
                let other = try await CallProbe.path(of: "libearly.so")
                let run = try await socksify(
                    ["-x", url, "printenv", "LD_PRELOAD"], environment: ["LD_PRELOAD": other])
                let names = run.output.split(whereSeparator: { $0 == ":" || $0.isWhitespace })
                #expect(names.count == 2 && names.contains { $0 == other }, "\(run)")
            }
        }

        @Test(arguments: ["unreached-static", "unreached-noted", "unreached-built"])
        func `A program that preloading cannot reach is refused with a reason and advice`(kind: String) async throws {
            let program = try await CallProbe.path(of: kind)
            try await withProxy { _, url in
                let run = try await socksify(["-x", url, program, "facts"])
                #expect(run.status == 126 && run.output.isEmpty, "\(run)")
                let reason = kind == "unreached-static" ? "is statically linked" : "is written in Go"
                #expect(run.error.contains("\(program) \(reason)"), "\(run)")
                #expect(run.error.contains("--unreachable nonet"), "\(run)")
            }
        }

        @Test(arguments: ["unreached-static", "unreached-noted"])
        func `With --unreachable nonet it has no network, and what it starts goes through the proxy`(
            kind: String
        ) async throws {
            let program = try await CallProbe.path(of: kind)
            try await withProxy { proxy, url in
                let facts = try await socksify(["-x", url, "--unreachable", "nonet", program, "facts"])
                #expect(facts.status == 7 && facts.error.isEmpty, "\(facts)")
                #expect(facts.output.contains("inet EACCES, inet6 EACCES, packet EACCES\n"), "\(facts)")
                let run = try await socksify(
                    ["-v", "-x", url, "--unreachable", "nonet", program, "execute"] + exchange())
                #expect(run.output == "hello\n" && run.error.contains("it is started without network"), "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(echo)"])
            }
        }

        @Test func `With --unreachable direct it goes direct, and what it starts does not`() async throws {
            let program = try await CallProbe.path(of: "unreached-static")
            try await withProxy { proxy, url in
                let facts = try await socksify(["-v", "-x", url, "--unreachable", "direct", program, "facts"])
                #expect(facts.status == 7 && facts.output.contains("inet 0, inet6 0, "), "\(facts)")
                #expect(facts.error.contains("it goes direct"), "\(facts)")
                let run = try await socksify(["-x", url, "--unreachable", "direct", program, "execute"] + exchange())
                #expect(run.output == "hello\n" && run.error.isEmpty, "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:\(echo)"])
            }
        }

        @Test(arguments: ["set-user-ID", "file capabilities"])
        func `A program that runs with other rights is refused with a reason`(kind: String) async throws {
            try Machine.needsRoot("only root can give a program another user's rights and then be nobody")
            // The scratch directory, unlike /tmp, certainly honours set-user-ID and capabilities.
            let directory = try Machine.temporaryDirectory("rights").path
            let program = "\(directory)/program"
            try await Client.copyProgram("/bin/echo", to: program)
            let grant =
                kind == "set-user-ID"
                ? ["chmod", "4755", program]
                : ["setcap", "cap_net_bind_service+ep", program]
            let granted = try await Client.start(grant, limit: 10)
            try #require(granted.status == 0, "\(granted)")
            // A copy that every user can read.
            let tool = try Machine.temporaryDirectory("tool")
            for (from, to) in [(Machine.tool, "bin"), (Machine.library, "lib")] {
                let folder = tool.appending(path: to)
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try await Client.copyProgram(
                    from, to: folder.appending(path: URL(filePath: from).lastPathComponent).path)
            }
            let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            try await withProxy { _, url in
                let run = try await Client.run(
                    nobody + ["\(tool.path)/bin/socksify", "-x", url, program, "was run"], mode: .bare)
                #expect(run.status == 126 && run.output.isEmpty, "\(run)")
                #expect(run.error.contains(kind), "\(run)")
                let own = try await Client.run(
                    nobody + ["\(tool.path)/bin/socksify", "-x", url, "/bin/echo", "was run"], mode: .bare)
                #expect(own.output == "was run\n", "\(own)")
            }
        }
    }
}
