import TestProxy
import Testing

/// A program that queries DNS servers, and its words for their answers.
struct NameProgram: CustomTestStringConvertible, Sendable {
    var name: String
    /// The command that sends the queries of Programs/Names/ask.bash.
    var command: @Sendable () async throws -> [String]
    var notImplemented = "NOTIMP"
    var nameError = "NXDOMAIN"
    var noData = "NOERROR"
    var testDescription: String { name }

    static let all = [
        tool("dig"),
        tool("kdig", notImplemented: "NOTIMPL"),
        tool("drill", notImplemented: "NOTIMPL"),
        tool("host"),
        NameProgram(
            name: "dnspython", command: { ["/usr/bin/python3", Program.source("Names/ask.py"), NameServers.host] }),
        NameProgram(
            name: "c-ares", command: { ["node", Program.source("Names/ask.mjs"), NameServers.host] },
            notImplemented: "ENOTIMP", nameError: "ENOTFOUND", noData: "ENODATA"),
        resQuery,
    ]

    static let resQuery = NameProgram(
        name: "res_query", command: { [try await query.value] }, notImplemented: "NO_RECOVERY",
        nameError: "HOST_NOT_FOUND", noData: "NO_DATA")

    private static func tool(_ name: String, notImplemented: String = "NOTIMP") -> NameProgram {
        NameProgram(
            name: name, command: { ["bash", Program.source("Names/ask.bash"), name, NameServers.host] },
            notImplemented: notImplemented)
    }

    /// The C program, compiled once.
    private static let query = Task {
        let program = try Machine.temporaryDirectory("query").appending(path: "query").path
        let run = try await Client.start(
            [
                "cc", "-D_GNU_SOURCE", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O1", "-o", program,
                Program.source("Names/query.c"), "-lresolv",
            ], limit: 60)
        try #require(run.status == 0, "\(run)")
        return program
    }
}

/// A configuration with these lines and a proxy of this kind.
private func configuration(_ kind: ProxyKind, _ lines: String...) async throws -> String {
    try await configuration(lines.joined(separator: "\n"), urls: [Proxies.shared.url(kind)])
}

/// Only a server that hangs needs a short limit; the others answer at once.
private func limit(_ fault: NameServers.Fault) -> String {
    fault == .hangs ? "tcp_read_time_out 300" : AnswerTime.ample
}

/// A proxy with Tor's commands.
private let tor = Script.with { $0.commands = [.connect, .resolve, .resolvePTR] }

/// The lines of the text with a word in place of each reserved address, so that its value does not matter.
private func naming(_ text: String) -> [String] {
    text.replacing(/198\.1[89]\.\d+\.\d+/, with: "FAKE4").replacing(/fd73:6f63:6b73:6661:6b65:[\da-f:]+/, with: "FAKE6")
        .split(separator: "\n").map(String.init)
}

extension EndToEnd {
    /// Programs that query DNS servers: where their queries go, and which answers they get.
    @Suite struct NameServerTests {
        // MARK: dns tcp

        @Test(arguments: NameProgram.all, [ProxyKind.danted, .testProxy])
        func `A server is asked through the proxy, and says what it knows`(
            program: NameProgram, kind: ProxyKind
        ) async throws {
            _ = try await NameServers.honest.value
            let run = try await Client.run(
                program.command(), configuration: configuration(kind, "dns tcp \(NameServers.host)"),
                carriesDatagrams: true)
            #expect(
                run.output.split(separator: "\n") == [
                    "A 203.0.113.10", "AAAA 2001:db8::10", "MX 10 mail.test", "TXT hello from the far side",
                    "PTR other.test", "A \(program.nameError)", "TXT 8 2000",
                ], "\(run)")
        }

        @Test func `The server of the configuration is asked, whichever the program has`() async throws {
            _ = try await NameServers.honest.value
            try await withProxy { proxy, url in
                for server in ["192.0.2.53", "2001:db8::53", "127.0.0.53"] {
                    let run = try await Client.run(
                        ["dig", "+short", "@\(server)", "web.test"],
                        configuration: configuration("dns tcp \(NameServers.host)", urls: [url]),
                        carriesDatagrams: true)
                    #expect(run.output == "203.0.113.10\n", "\(run)")
                }
                #expect(proxy.requests == Array(repeating: "CONNECT 203.0.113.10:53", count: 3))
            }
        }

        @Test func `A server by name is the proxy's to find`() async throws {
            _ = try await NameServers.honest.value
            try await withProxy { proxy, url in
                let run = try await Client.run(
                    ["dig", "+short", "other.test"], configuration: configuration("dns tcp web.test:53", urls: [url]),
                    carriesDatagrams: true)
                #expect(run.output == "203.0.113.11\n", "\(run)")
                #expect(proxy.requests == ["CONNECT web.test:53"])
            }
        }

        @Test func `Questions that are asked at once are all answered`() async throws {
            _ = try await NameServers.honest.value
            let run = try await Client.run(
                ["node", Program.source("Names/together.mjs"), "100", "web.test"],
                configuration: configuration(.testProxy, "dns tcp \(NameServers.host)"), carriesDatagrams: true)
            #expect(run.output == "100 203.0.113.10\n", "\(run)")
        }

        @Test func `More questions than may be under way wait for their turn`() async throws {
            _ = try await NameServers.honest.value
            let lines = try await configuration(.testProxy, "dns tcp \(NameServers.host)")
            let output = try await ConfigurationText(lines).write {
                try await CallProbe.run("questions", ["answered", "200"], environment: ["SOCKSIFY_CONF": $0])
            }
            #expect(output.lines == ["sent: 200", "answers: 200"], "\(output)")
        }

        @Test func `Questions that nobody answers leave the program its descriptors`() async throws {
            let server = try await "\(NameServers.host):\(NameServers.port(of: .hangs))"
            let lines = try await configuration(.testProxy, "dns tcp \(server)")
            let output = try await ConfigurationText(lines).write {
                try await CallProbe.run(
                    "questions", ["unanswered", "1000"], environment: ["SOCKSIFY_CONF": $0], ending: .associated(32))
            }
            #expect(output.lines == ["sent: 1000"], "\(output)")
        }

        @Test func `An answer that is too long for a datagram is asked for again by TCP`() async throws {
            _ = try await NameServers.honest.value
            try await withProxy { proxy, url in
                let configuration = configuration("dns tcp \(NameServers.host)", urls: [url])
                let question = ["big.test", "TXT", "@\(NameServers.host)"]
                let cut = try await Client.run(
                    ["dig", "+ignore"] + question, configuration: configuration, carriesDatagrams: true)
                #expect(cut.output.contains(" tc ") && cut.output.contains("ANSWER: 0"), "\(cut)")
                let whole = try await Client.run(
                    ["dig"] + question, configuration: configuration, carriesDatagrams: true)
                #expect(whole.output.contains("ANSWER: 8"), "\(whole)")
                #expect(proxy.requests == Array(repeating: "CONNECT 203.0.113.10:53", count: 3))
            }
        }

        @Test func `What a server refuses is refused`() async throws {
            _ = try await NameServers.honest.value
            let run = try await Client.run(
                ["dig", "outside.example"], configuration: configuration(.testProxy, "dns tcp \(NameServers.host)"),
                carriesDatagrams: true)
            #expect(run.output.contains("status: REFUSED"), "\(run)")
        }

        @Test func `A message that leads to this machine has no address for the program`() async throws {
            _ = try await NameServers.honest.value
            let lines = ["dns tcp \(NameServers.host)", "localnet 10.0.0.0/8"]
            for name in ["here.test", "nowhere.test", "inside.test", "both.test", "reserved.test"] {
                let run = try await Client.run(
                    ["dig", name], configuration: configuration(.testProxy, lines[0], lines[1]), carriesDatagrams: true)
                #expect(run.output.contains("status: NOERROR") && run.output.contains("ANSWER: 0"), "\(name): \(run)")
            }
            for (name, answer) in [("here.test", "127.0.0.1\n"), ("inside.test", "10.1.2.3\n"), ("reserved.test", "")] {
                let run = try await Client.run(
                    ["dig", "+short", name],
                    configuration: configuration(.testProxy, lines[0], lines[1], "local_answers accept"),
                    carriesDatagrams: true)
                #expect(run.output == answer, "\(name): \(run)")
            }
            let query = try await Client.run(
                ["dig", "+short", "@\(NameServers.host)", "inside.test"],
                configuration: configuration(.testProxy, lines[0]), carriesDatagrams: true)
            #expect(query.output == "10.1.2.3\n", "\(query)")
        }

        @Test(arguments: ["127.0.0.1", "::1", "0.0.0.0", "10.1.2.3", "198.18.0.1"])
        func `Nor has what Tor answers`(address: String) async throws {
            let script = Script.with {
                $0.commands = [.connect, .resolve]
                $0.names = ["evil.test": [address]]
            }
            try await withProxy(script) { proxy, url in
                for type in ["A", "AAAA"] {
                    let run = try await Client.run(
                        ["dig", "+short", "evil.test", type],
                        configuration: configuration("dns tor\nlocalnet 10.0.0.0/8", urls: [url]),
                        carriesDatagrams: true)
                    #expect(run.output == "", "\(run)")
                }
                #expect(proxy.requests == ["RESOLVE evil.test:0", "RESOLVE evil.test:0"])
            }
        }

        // MARK: dns fake

        @Test(arguments: NameProgram.all, [ProxyKind.danted, .testProxy, .microsocks, .sshDynamic])
        func `Every name has a reserved address, and nothing is asked`(
            program: NameProgram, kind: ProxyKind
        ) async throws {
            let run = try await Client.run(
                program.command(), configuration: configuration(kind, "dns fake"), carriesDatagrams: true)
            #expect(
                naming(run.output) == [
                    "A FAKE4", "AAAA FAKE6", "MX \(program.notImplemented)", "TXT \(program.notImplemented)",
                    "PTR \(program.nameError)", "A FAKE4", "TXT 0 0",
                ], "\(run)")
        }

        @Test func `A program connects to the address that it was told, and the proxy is given the name`() async throws
        {
            try await Targets.shared.http()
            try await withProxy { proxy, url in
                let run = try await Client.run(
                    ["node", Program.source("Names/fetch.mjs"), "web.test", "\(Targets.httpPort)"], proxy: url,
                    carriesDatagrams: true)
                #expect(naming(run.output) == ["FAKE4 web.test", "FAKE6 web.test"], "\(run)")
                #expect(proxy.requests == Array(repeating: "CONNECT web.test:8080", count: 2))
            }
        }

        @Test func `This machine's names and those of its hosts file are answered with their addresses`() async throws {
            let run = try await Client.run(
                [
                    "dig", "+short", "localhost", "localhost", "AAAA", "inhosts.test", "inhosts6.test", "AAAA", "-x",
                    "127.0.0.1",
                ],
                configuration: configuration(.testProxy, "dns fake"), carriesDatagrams: true)
            #expect(run.output == "127.0.0.1\n::1\n203.0.113.10\n2001:db8::10\nlocalhost.\n", "\(run)")
        }

        @Test(arguments: [ProxyKind.microsocks, .sshDynamic])
        func `A server is asked through a proxy that has no datagrams`(kind: ProxyKind) async throws {
            _ = try await NameServers.honest.value
            let run = try await Client.run(
                ["dig", "+short", "web.test", "MX", "big.test", "TXT", "@\(NameServers.host)"],
                configuration: configuration(kind, "dns tcp \(NameServers.host)"), carriesDatagrams: true)
            #expect(run.output.hasPrefix("10 mail.test.\n"), "\(run)")
            #expect(run.output.split(separator: "\n").count == 9, "\(run)")
        }

        // MARK: dns tor

        @Test(arguments: NameProgram.all)
        func `Tor is asked for addresses and for the names of addresses`(program: NameProgram) async throws {
            try await withProxy(tor) { proxy, url in
                let run = try await Client.run(
                    program.command(), configuration: configuration("dns tor", urls: [url]), carriesDatagrams: true)
                #expect(
                    run.output.split(separator: "\n") == [
                        "A 203.0.113.10", "AAAA \(program.noData)", "MX \(program.notImplemented)",
                        "TXT \(program.notImplemented)", "PTR other.test", "A \(program.nameError)", "TXT 0 0",
                    ], "\(run)")
                #expect(
                    Set(proxy.requests) == [
                        "RESOLVE web.test:0", "RESOLVE_PTR 203.0.113.11:0", "RESOLVE none.test:0",
                    ])
            }
        }

        @Test func `A hidden service has a reserved address, and Tor is not asked for it`() async throws {
            let name = "\(String(repeating: "a", count: 56)).onion"
            try await withProxy(tor) { proxy, url in
                let run = try await Client.run(
                    ["dig", "+short", name], configuration: configuration("dns tor", urls: [url]),
                    carriesDatagrams: true)
                #expect(naming(run.output) == ["FAKE4"], "\(run)")
                #expect(proxy.requests == [])
            }
        }

        // MARK: Bad servers

        @Test(arguments: [NameServers.Fault.hangs, .closes, .breaksOff, .garbage, .wrongID, .wrongQuestion])
        func `A server that does not answer the question has failed`(fault: NameServers.Fault) async throws {
            let port = try await NameServers.port(of: fault)
            let run = try await Client.run(
                ["dig", "+time=20", "+tries=1", "web.test"],
                configuration: configuration(
                    .testProxy, limit(fault), "dns tcp \(NameServers.host):\(port)"),
                carriesDatagrams: true)
            #expect(run.output.contains("status: SERVFAIL"), "\(run)")
            let query = try await Client.run(
                NameProgram.resQuery.command(),
                configuration: configuration(
                    .testProxy, limit(fault), "dns tcp \(NameServers.host):\(port)"))
            #expect(query.output.hasPrefix("A TRY_AGAIN\nAAAA TRY_AGAIN\n"), "\(query)")
        }

        @Test func `A server that cannot be reached has failed`() async throws {
            let run = try await Client.run(
                ["dig", "+time=20", "+tries=1", "web.test"],
                configuration: configuration(
                    .testProxy, "dns tcp \(NameServers.host):\(Targets.closedPort)"),
                carriesDatagrams: true)
            #expect(run.output.contains("status: SERVFAIL"), "\(run)")
        }

        @Test func `A server that the proxy has no way to has failed, and says nothing of names`() async throws {
            try await withProxy(.with { $0.replyCode = 4 }) { _, url in
                let configuration = configuration("dns tcp \(NameServers.host)", urls: [url])
                let run = try await Client.run(
                    ["dig", "+time=20", "+tries=1", "web.test"], configuration: configuration, carriesDatagrams: true)
                #expect(run.output.contains("status: SERVFAIL"), "\(run)")
            }
        }

        @Test(arguments: [ProxyKind.danted, .testProxy])
        func `An answer may come byte by byte`(kind: ProxyKind) async throws {
            let port = try await NameServers.port(of: .slow)
            let run = try await Client.run(
                ["dig", "+short", "web.test"],
                configuration: configuration(kind, "dns tcp \(NameServers.host):\(port)"), carriesDatagrams: true)
            #expect(run.output == "203.0.113.10\n", "\(run)")
        }
    }

    /// The results of libc's functions when the library looks names up through the proxy.
    @Suite struct RemoteLookupTests {
        private static let own = [
            "getaddrinfo localhost ::1 127.0.0.1",
            // libc reads ::1 as this machine for IPv4, too.
            "gethostbyname localhost localhost 127.0.0.1 127.0.0.1",
            "getaddrinfo inhosts.test 203.0.113.10",
            "gethostbyname inhosts.test inhosts.test 203.0.113.10",
            "getnameinfo 127.0.0.1 localhost",
            "gethostbyaddr 127.0.0.1 localhost 127.0.0.1",
        ]

        private func look(_ words: String..., configuration: String) async throws -> Run {
            try await Client.run(
                ["/usr/bin/python3", Program.source("Names/look.py")] + words, configuration: configuration)
        }

        @Test(arguments: [ProxyKind.danted, .testProxy, .microsocks])
        func `Names and addresses are asked of the server`(kind: ProxyKind) async throws {
            _ = try await NameServers.honest.value
            let run = try await look(
                "web.test", "other.test", "none.test", "outside.example", "203.0.113.11",
                configuration: configuration(kind, "dns tcp \(NameServers.host)"))
            #expect(
                run.output.split(separator: "\n") == [
                    "getaddrinfo web.test 203.0.113.10 2001:db8::10",
                    "gethostbyname web.test web.test 203.0.113.10",
                    "getaddrinfo other.test 203.0.113.11",
                    "gethostbyname other.test other.test 203.0.113.11",
                    "getaddrinfo none.test EAI_NONAME",
                    "gethostbyname none.test EAI_NONAME",
                    // The server refuses this query.
                    "getaddrinfo outside.example EAI_AGAIN",
                    "gethostbyname outside.example EAI_AGAIN",
                    "getnameinfo 203.0.113.11 other.test",
                    "gethostbyaddr 203.0.113.11 other.test 203.0.113.11",
                ], "\(run)")
        }

        @Test func `Names and addresses are asked of Tor`() async throws {
            try await withProxy(tor) { _, url in
                let run = try await look(
                    "web.test", "six.test", "none.test", "203.0.113.11",
                    configuration: configuration("dns tor", urls: [url]))
                #expect(
                    run.output.split(separator: "\n") == [
                        "getaddrinfo web.test 203.0.113.10",
                        "gethostbyname web.test web.test 203.0.113.10",
                        "getaddrinfo six.test 2001:db8::10",
                        "gethostbyname six.test EAI_NODATA",
                        "getaddrinfo none.test EAI_NONAME",
                        "gethostbyname none.test EAI_NONAME",
                        "getnameinfo 203.0.113.11 other.test",
                        "gethostbyaddr 203.0.113.11 other.test 203.0.113.11",
                    ], "\(run)")
            }
        }

        /// The requests to Tor for a name when resolv.conf has the domains corp.test and test, and these options.
        static let searches: [(name: String, options: String, asked: [String], isFound: Bool)] = [
            ("web", "", ["web.corp.test", "web.test"], true), ("web.test", "", ["web.test"], true),
            ("web.test", "ndots:2", ["web.test.corp.test", "web.test.test", "web.test"], true),
            ("none", "", ["none.corp.test", "none.test", "none"], false),
            ("none", "no-tld-query", ["none.corp.test", "none.test"], false),
            ("none.test", "no-tld-query", ["none.test", "none.test.corp.test", "none.test.test"], false),
            ("web.", "ndots:3", ["web"], false),
        ]

        private func searching(_ options: String) -> String {
            """
            mount -t tmpfs tmpfs /mnt
            printf 'search corp.test test\\noptions \(options)\\n' >/mnt/resolv
            mount --bind /mnt/resolv /etc/resolv.conf
            """
        }

        private func search(
            _ probe: String, _ arguments: [String], _ options: String, _ keyword: String = "search_domains on",
            _ body: (_ lines: [String], _ asked: [String]) -> Void
        ) async throws {
            try await withProxy(tor) { proxy, url in
                let lines = configuration("dns tor", keyword, urls: [url])
                let output = try await ConfigurationText(lines).write {
                    try await CallProbe.run(
                        probe, arguments, environment: ["SOCKSIFY_CONF": $0], preparation: searching(options))
                }
                body(output.lines, proxy.requests)
            }
        }

        @Test(arguments: searches)
        func `Names are looked up in the domains of resolv conf where that is wanted`(
            name: String, options: String, asked: [String], isFound: Bool
        ) async throws {
            // AF_UNSPEC, SOCK_STREAM, and AI_CANONNAME.
            let lookup = [name, "80", "0", "1", "0", "2"]
            let found = ["0", "203.0.113.10 80 type 1 protocol 6 canonical web.test"]
            try await search("lookup", lookup, options) { lines, requests in
                #expect(lines == (isFound ? found : ["EAI_NONAME"]))
                #expect(requests == asked.map { "RESOLVE \($0):0" })
            }
            try await search("lookup", lookup, options, "search_domains off") { _, requests in
                #expect(requests == ["RESOLVE \(name.hasSuffix(".") ? String(name.dropLast()) : name):0"])
            }
        }

        @Test(arguments: searches)
        func `Nor does res_search take a name as it is given, and res_query does`(
            name: String, options: String, asked: [String], isFound: Bool
        ) async throws {
            try await search("searching", [name], options) { lines, requests in
                #expect(lines.first == "res_search \(name): \(isFound ? "found" : "HOST_NOT_FOUND")")
                let whole = name.hasSuffix(".") ? String(name.dropLast()) : name
                #expect(requests == (asked + [whole]).map { "RESOLVE \($0):0" })
            }
        }

        @Test func `With reserved addresses no name is looked up in other domains`() async throws {
            let lines = configuration("dns fake", "search_domains on", urls: ["socks5://10.99.0.1:1"])
            let output = try await ConfigurationText(lines).write {
                try await CallProbe.run(
                    "lookup", ["web", "80", "0", "1", "0", "2"], environment: ["SOCKSIFY_CONF": $0],
                    preparation: searching(""))
            }
            #expect(output.lines == ["0", "FAKE4 80 type 1 protocol 6 canonical web"])
        }

        @Test func `A proxy that cannot reach Tor says nothing of names`() async throws {
            try await withProxy(.with { $0.replyCode = 4 }) { _, first in
                let run = try await look(
                    "web.test", "203.0.113.11",
                    configuration: configuration("dns tor", urls: [first, "socks5://203.0.113.10:1"]))
                #expect(
                    run.output.split(separator: "\n") == [
                        "getaddrinfo web.test EAI_AGAIN", "gethostbyname web.test EAI_AGAIN",
                        "getnameinfo 203.0.113.11 EAI_AGAIN", "gethostbyaddr 203.0.113.11 TRY_AGAIN",
                    ], "\(run)")
            }
        }

        @Test(arguments: ["dns tcp \(NameServers.host)", "dns tor"])
        func `This machine's names and those of its hosts file are not asked for`(mode: String) async throws {
            try await withProxy(tor) { proxy, url in
                let run = try await look(
                    "localhost", "inhosts.test", "127.0.0.1", configuration: configuration(mode, urls: [url]))
                #expect(run.output.split(separator: "\n").map(String.init) == RemoteLookupTests.own, "\(run)")
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `An address that is of this machine or direct is not taken`() async throws {
            _ = try await NameServers.honest.value
            let lines = "dns tcp \(NameServers.host)"
            let run = try await look(
                "here.test", "nowhere.test", "inside.test", "reserved.test", "both.test",
                configuration: configuration(.testProxy, lines, "localnet 10.0.0.0/8"))
            let missing = ["here.test", "nowhere.test", "inside.test", "reserved.test"].flatMap {
                ["getaddrinfo \($0) EAI_NODATA", "gethostbyname \($0) EAI_NODATA"]
            }
            #expect(
                run.output.split(separator: "\n").map(String.init) == missing + [
                    "getaddrinfo both.test 203.0.113.12", "gethostbyname both.test both.test 203.0.113.12",
                ], "\(run)")
            let accepted = try await look(
                "here.test", "inside.test", "reserved.test",
                configuration: configuration(.testProxy, lines, "localnet 10.0.0.0/8", "local_answers accept"))
            #expect(
                accepted.output.split(separator: "\n") == [
                    "getaddrinfo here.test 127.0.0.1 ::1", "gethostbyname here.test here.test 127.0.0.1",
                    "getaddrinfo inside.test 10.1.2.3", "gethostbyname inside.test inside.test 10.1.2.3",
                    "getaddrinfo reserved.test EAI_NODATA", "gethostbyname reserved.test EAI_NODATA",
                ], "\(accepted)")
        }

        @Test(arguments: ["x\n\u{1b}[31mroot", "a b", "$(id).test", "a\u{0}b", "it's.test", "localhost", "127.0.0.1"])
        func `What is no name of a host elsewhere is not taken for one`(name: String) async throws {
            let script = Script.with {
                $0.commands = [.connect, .resolve, .resolvePTR]
                $0.names = [name: ["203.0.113.77"]]
            }
            try await withProxy(script) { proxy, url in
                let run = try await look("203.0.113.77", configuration: configuration("dns tor", urls: [url]))
                let lines = run.output.split(separator: "\n")
                #expect(
                    lines == ["getnameinfo 203.0.113.77 EAI_NONAME", "gethostbyaddr 203.0.113.77 HOST_NOT_FOUND"],
                    "\(run)")
                #expect(proxy.requests.allSatisfy { $0.hasPrefix("RESOLVE_PTR ") } && !proxy.requests.isEmpty)
            }
        }

        @Test func `A program connects to the address that the server has`() async throws {
            _ = try await NameServers.honest.value
            try await Targets.shared.http()
            try await withProxy { proxy, url in
                let run = try await Client.run(
                    ["curl", "-4sS", "http://web.test:\(Targets.httpPort)/page"],
                    configuration: configuration("dns tcp \(NameServers.host)", urls: [url]))
                #expect(run.output == "GET /page host web.test:8080\n", "\(run)")
                #expect(proxy.requests.last == "CONNECT 203.0.113.10:8080")
                #expect(Set(proxy.requests.dropLast()) == ["CONNECT 203.0.113.10:53"])
            }
        }

        @Test func `A program connects to the address that Tor has`() async throws {
            try await Targets.shared.http()
            try await withProxy(tor) { proxy, url in
                let run = try await Client.run(
                    ["curl", "-sS", "http://web.test:\(Targets.httpPort)/page"],
                    configuration: configuration("dns tor", urls: [url]))
                #expect(run.output == "GET /page host web.test:8080\n", "\(run)")
                #expect(proxy.requests == ["RESOLVE web.test:0", "CONNECT 203.0.113.10:8080"])
            }
        }

        @Test(arguments: [NameServers.Fault.hangs, .closes, .breaksOff, .garbage, .wrongID, .wrongQuestion])
        func `A server without a right answer leaves the name to be tried again`(
            fault: NameServers.Fault
        ) async throws {
            let port = try await NameServers.port(of: fault)
            let run = try await look(
                "web.test",
                configuration: configuration(
                    .testProxy, limit(fault), "dns tcp \(NameServers.host):\(port)"))
            #expect(run.output == "getaddrinfo web.test EAI_AGAIN\ngethostbyname web.test EAI_AGAIN\n", "\(run)")
        }

        @Test func `An answer may come byte by byte`() async throws {
            let port = try await NameServers.port(of: .slow)
            let run = try await look(
                "web.test", configuration: configuration(.testProxy, "dns tcp \(NameServers.host):\(port)"))
            #expect(
                run.output == "getaddrinfo web.test 203.0.113.10\ngethostbyname web.test web.test 203.0.113.10\n",
                "\(run)")
        }
    }
}
