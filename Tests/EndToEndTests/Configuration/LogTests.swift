import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// The lines for the person who runs a program, and where the library writes them.
    @Suite struct LogTests {
        /// A proxy address at which nothing listens: each connection gives a line.
        private let failing = ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1"]
        private let target = ["203.0.113.10", "80"]
        private let line =
            "tcp 203.0.113.10:80: proxy 10.99.0.1:1 cannot be connected to: connection refused; is the proxy running?"

        // MARK: Standard error

        @Test func `A line goes to standard error`() async throws {
            let output = try await CallProbe.run(
                "log-descriptors", ["kept"] + target, environment: failing, ending: .logging(line))
            #expect(output.lines == ["connect: ECONNREFUSED"])
        }

        @Test(arguments: ["file", "socket", "pipe"])
        func `What a program has in standard error's place is its own`(kind: String) async throws {
            let output = try await CallProbe.run("log-descriptors", [kind] + target, environment: failing)
            #expect(output.lines == ["connect: ECONNREFUSED", "written: 0"])
        }

        @Test func `Without a standard error there are no lines`() async throws {
            let output = try await CallProbe.run("log-descriptors", ["closed"] + target, environment: failing)
            #expect(output.lines == ["connect: ECONNREFUSED"])
        }

        @Test func `A standard error that nobody reads does not end a program`() async throws {
            let program = try await CallProbe.path(of: "log-descriptors")
            let output = try await CallProbe.run(
                "log-broken", [program, "kept"] + target, environment: failing)
            #expect(output.lines == ["connect: ECONNREFUSED", "status 0"])
        }

        @Test func `A standard error that is a connection gets no line`() async throws {
            let program = try await CallProbe.path(of: "log-descriptors")
            let output = try await CallProbe.run(
                "log-broken", [program, "kept"] + target,
                environment: failing.merging(["PROBE_ERROR": "connection"]) { $1 })
            #expect(output.lines == ["connect: ECONNREFUSED", "status 0", "came: 0"])
        }

        // MARK: A file

        /// The lines of the file after a run, and its mode.
        private func file(
            existing: String? = nil, _ body: (_ path: String) async throws -> Void
        ) async throws -> (lines: [String], mode: Int) {
            let path = try Machine.temporaryDirectory("log").appending(path: "lines").path
            if let existing { try existing.write(toFile: path, atomically: false, encoding: .utf8) }
            try await body(path)
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            return (text.split(separator: "\n").map(String.init), mode ?? 0)
        }

        @Test func `SOCKSIFY_LOG names a file, which lines are added to, with time and process`() async throws {
            let began = Date()
            let (lines, mode) = try await file { path in
                for _ in 0..<2 {
                    let output = try await CallProbe.run(
                        "log-descriptors", ["kept"] + target,
                        environment: failing.merging(["SOCKSIFY_LOG": "error:\(path)"]) { $1 })
                    #expect(output.lines == ["connect: ECONNREFUSED"])
                }
            }
            let ended = Date()
            #expect(mode == 0o600)
            #expect(lines.count == 2)
            let form = /socksify: (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) log-descriptors\[\d+\]: (.*)/
            for line in lines {
                let match = try #require(line.wholeMatch(of: form), "\(line)")
                #expect(match.3 == self.line)
                let time = try Date("\(match.1)T\(match.2)Z", strategy: .iso8601)
                // The time in the line has no fraction.
                #expect(time > began.addingTimeInterval(-1) && time <= ended)
            }
        }

        @Test func `The configuration names a file, and SOCKSIFY_LOG another`() async throws {
            var named = ""
            let (lines, _) = try await file(existing: "before\n") { path in
                let text = "log error \(path)\n[ProxyList]\nsocks5 10.99.0.1 1\n"
                let configuration = try Machine.file(text, name: "socksify.conf")
                let output = try await CallProbe.run(
                    "log-descriptors", ["kept"] + target, environment: ["SOCKSIFY_CONF": configuration])
                #expect(output.lines == ["connect: ECONNREFUSED"])
                named = try String(contentsOfFile: path, encoding: .utf8)
                let other = try await file { other in
                    _ = try await CallProbe.run(
                        "log-descriptors", ["kept"] + target,
                        environment: ["SOCKSIFY_CONF": configuration, "SOCKSIFY_LOG": "error:\(other)"])
                }
                #expect(other.lines.count == 1 && other.lines.last?.hasSuffix(": \(line)") == true)
            }
            #expect(lines.count == 2 && lines.first == "before" && lines.last?.hasSuffix(": \(line)") == true)
            // The first file has no new lines after SOCKSIFY_LOG named another.
            #expect(named == lines.map { $0 + "\n" }.joined())
        }

        @Test(arguments: ["/dev/null/no", "/", "/nonexistent/lines"])
        func `Where a file cannot be written, that and the first line go to standard error`(
            path: String
        ) async throws {
            let output = try await CallProbe.run(
                "log-burst", target + ["3"], environment: failing.merging(["SOCKSIFY_LOG": "error:\(path)"]) { $1 },
                ending: .logging)
            #expect(output.errorLines.count == 2)
            #expect(
                output.errorLines.first?.hasPrefix("socksify: \(path): lines cannot be added to this file: ") == true)
            #expect(output.errorLines.last == "socksify: \(line)")
        }

        @Test func `No link is followed to a file`() async throws {
            let directory = try Machine.temporaryDirectory("log")
            let (link, aim) = (directory.appending(path: "link").path, directory.appending(path: "aim").path)
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: aim)
            _ = try await CallProbe.run(
                "log-burst", target + ["1"], environment: failing.merging(["SOCKSIFY_LOG": "error:\(link)"]) { $1 },
                ending: .logging("\(link): lines cannot be added to this file: too many symbolic links", line))
            #expect(!FileManager.default.fileExists(atPath: aim))
        }

        @Test(arguments: ["loud", "error:", "error:relative", ":/dev/shm/lines"])
        func `What SOCKSIFY_LOG may not say is told, and does no harm`(value: String) async throws {
            let mistake =
                "SOCKSIFY_LOG: expected off, error, warn, info or debug, and perhaps ':' and an absolute path"
            let output = try await CallProbe.run(
                "log-descriptors", ["kept"] + target,
                environment: failing.merging(["SOCKSIFY_LOG": value]) { $1 },
                preparation: "rm -f /dev/shm/lines", ending: value.hasPrefix(":") ? .clean : .logging(mistake, line))
            #expect(output.lines == ["connect: ECONNREFUSED"])
        }

        // MARK: The rate limit

        @Test func `A program that fails in a loop does not fill its standard error`() async throws {
            let output = try await CallProbe.run(
                "log-burst", target + ["200", "2"], environment: failing, ending: .logging)
            // Twenty lines, one for each second of the run, and the last one after a time that certainly allows it.
            let seconds = try #require(output.lines.first.flatMap(Int.init))
            #expect((21...21 + seconds + 1).contains(output.errorLines.count), "\(seconds) s, \(output.errors)")
            // Each line is written, or the next line counts it.
            let counted = output.errorLines.reduce(0) { sum, line in
                let match = line.wholeMatch(of: /socksify: (.*?)(?: \((\d+) lines omitted\))?/)
                #expect(match.map { String($0.1) } == self.line)
                return sum + 1 + (match?.2.flatMap { Int($0) } ?? 0)
            }
            #expect(counted == 201)
        }

        @Test func `Whoever asks for every connection is told of every connection`() async throws {
            try await TestProxy.during { _ in
                .with { $0.replyCode = 5 }
            } _: { proxy in
                let output = try await proxy.run(
                    "log-burst", target + ["100"], environment: ["SOCKSIFY_LOG": "info"], ending: .logging)
                let line = "socksify: tcp 203.0.113.10:80: proxy 10.99.0.1:\(proxy.port) refused: connection refused"
                #expect(output.errorLines == Array(repeating: line, count: 100))
            }
        }

        // MARK: Secrets

        /// The password that no line may contain, whatever else the library reports about the credentials.
        static let secret = "hunter2secret"

        /// The subjects of the probe's lines.
        private static let observed: [Substring] = [
            "file", "AF_UNIX", "AF_UNIX", "connect", "name", "connect", "name", "figures", "datagram", "gethostbyname",
            "children",
        ]

        static let secretive: [(environment: [String: String], configuration: String?)] = [
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)@10.99.0.1:PORT"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)@10.99.0.1:99999"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)@10.99.0.1:PORT/path"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)%zz@10.99.0.1:PORT"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)%00@10.99.0.1:PORT"], nil),
            (["SOCKSIFY_PROXY": "sucks5://alice:\(secret)@10.99.0.1:PORT"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)@"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)@bad host:PORT"], nil),
            (["SOCKSIFY_PROXY": "socks5://alice:\(secret)@nowhere.test:PORT"], nil),
            (["SOCKSIFY_PROXY": "http://alice:\(secret)@10.99.0.1:PORT"], nil),
            (["SOCKSIFY_PROXY": "alice:\(secret)@10.99.0.1:PORT"], nil),
            ([:], "[ProxyList]\nsocks5 10.99.0.1 PORT alice \(secret)"),
            ([:], "[ProxyList]\nsocks5 10.99.0.1 PORT alice \(secret) surplus"),
            ([:], "[ProxyList]\nsocks5 10.99.0.1 99999 alice \(secret)"),
            ([:], "[ProxyList]\nsocks9 10.99.0.1 PORT alice \(secret)"),
            ([:], "[ProxyList]\nhttp 10.99.0.1 PORT alice \(secret)"),
            ([:], "[ProxyList]\nsocks5 10.99.0.1 PORT alice \(secret)\(String(repeating: "x", count: 300))"),
            ([:], "[ProxyList]\nsocks5://alice:\(secret)@10.99.0.1:99999"),
            ([:], "[ProxyList]\nsocks5://alice:\(secret)@10.99.0.1:PORT:surplus"),
        ]

        @Test(arguments: secretive, [false, true])
        func `No password stands in any line`(
            setting: (environment: [String: String], configuration: String?), isRefused: Bool
        ) async throws {
            try await TestProxy.during { _ in
                .with {
                    $0.credentials = Credentials(user: "alice", password: LogTests.secret)
                    $0.refusesCredentials = isRefused
                }
            } _: { proxy in
                func filled(_ text: String) -> String { text.replacingOccurrences(of: "PORT", with: "\(proxy.port)") }
                var environment = setting.environment.mapValues(filled)
                environment["SOCKSIFY_LOG"] = "debug"
                if let text = setting.configuration {
                    environment["SOCKSIFY_CONF"] = try Machine.file(filled(text), name: "socksify.conf")
                }
                let output = try await CallProbe.run(
                    "unconfigured", [FarSide.ipv4, FarSide.echoPort], environment: environment,
                    ending: Ending(errors: .log, associations: 1))
                // The results do not matter here.
                #expect(output.lines.map { $0.prefix { $0 != ":" } } == LogTests.observed)
                #expect(!(output.text + output.errors).contains(LogTests.secret), "\(output.errors)")
            }
        }

        // MARK: Direct traffic

        /// The lines of level debug about direct traffic, without time and process.
        private func direct(
            _ configuration: String, _ body: (_ environment: [String: String]) async throws -> Void
        ) async throws -> [String] {
            let path = try Machine.file(configuration, name: "socksify.conf")
            let (lines, _) = try await file {
                try await body(["SOCKSIFY_CONF": path, "SOCKSIFY_LOG": "debug:\($0)", "SOCKSIFY_DIRECT": "127.0.0.3:1"])
            }
            return lines.filter { $0.contains(" goes direct, ") }.map {
                $0.replacing(#/.*\]: /#, with: "").replacing(path, with: "FILE")
            }
        }

        @Test func `What goes direct is said with its reason`() async throws {
            let program = """
                import socket
                v4, v6 = socket.AF_INET, socket.AF_INET6
                def connect(family, type, address, port):
                    with socket.socket(family, type) as made: made.connect_ex((address, port))
                for family, address in [(v4, "127.0.0.1"), (v6, "::1"), (v6, "::ffff:127.0.0.1"), (v4, "0.0.0.0"),
                                        (v4, "127.0.0.3"), (v4, "127.0.0.4"), (v4, "10.99.0.1"), (v4, "203.0.113.10")]:
                    connect(family, socket.SOCK_STREAM, address, 1)
                connect(v4, socket.SOCK_DGRAM, "127.0.0.1", 1)
                with socket.socket(v4, socket.SOCK_DGRAM) as made:
                    made.sendto(b"x", ("127.0.0.4", 1))
                """
            let lines = try await direct("localnet 127.0.0.4/32\n[ProxyList]\nsocks5 10.99.0.1 1\n") {
                _ = try await Client.run(["/usr/bin/python3", "-c", program], environment: $0)
            }
            let loopback = "this is an address of this machine itself (loopback)"
            #expect(
                lines
                    == [
                        ("tcp 127.0.0.1:1", loopback), ("tcp [::1]:1", loopback), ("tcp 127.0.0.1:1", loopback),
                        ("tcp 0.0.0.0:1", "this is the unspecified address"),
                        ("tcp 127.0.0.3:1", "a rule says: direct net 127.0.0.3 port 1, at --direct or SOCKSIFY_DIRECT"),
                        ("tcp 127.0.0.4:1", "a localnet says so, at FILE:1:10"),
                        ("tcp 10.99.0.1:1", "the destination is a proxy"), ("udp 127.0.0.1:1", loopback),
                        ("udp 127.0.0.4:1", "a localnet says so, at FILE:1:10"),
                    ].map { "\($0.0) goes direct, because \($0.1)" })
        }

        @Test func `So is an answer to a datagram that came directly`() async throws {
            let lines = try await direct("loopback proxy\n[ProxyList]\nsocks5 10.99.0.1 1\n") {
                let output = try await CallProbe.run(
                    "datagram-server", ["answering"] + target + ["127.0.0.1"], environment: $0)
                #expect(output.lines.count == 3)
            }
            let form =
                /udp 127\.0\.0\.1:\d+ goes direct, because this answers a datagram that came direct/
            #expect(lines.count == 3 && lines.allSatisfy { $0.wholeMatch(of: form) != nil }, "\(lines)")
        }

        @Test func `A datagram that goes direct is said once, also beside others that do not`() async throws {
            let lines = try await direct("[ProxyList]\nsocks5 10.99.0.1 1\n") {
                let output = try await CallProbe.run("datagram-once", ["together"] + target, environment: $0)
                #expect(output.lines == ["sendmmsg: 3 of lengths 4 4 4"])
            }
            let line =
                "udp 127.0.0.1:1 goes direct, because this is an address of this machine itself (loopback)"
            #expect(lines == [line, line])
        }
    }
}
