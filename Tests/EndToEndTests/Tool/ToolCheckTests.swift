import Foundation
import TestProxy
import Testing

private let echo = "\(Targets.echoPort)"

extension EndToEnd {
    /// `socksify --check` tries proxies as connections would use them.
    @Suite struct ToolCheck {
        init() async throws { try await Targets.shared.echo() }

        /// The documented output of `--json`.
        private struct Report: Decodable {
            struct Outcome: Decodable {
                var ok: Bool
                var ms: Double?
                var error: String?
            }
            struct Proxy: Decodable {
                var type, location: String
                var usable: Bool
                var method: String?
                var reach, login, connect, udp, bind: Outcome?
            }
            struct List: Decodable {
                var name: String?
                var mode: String
                var usable: Bool
                var chain: Outcome?
                var proxies: [Proxy]
            }
            var target: String?
            var usable: Bool
            var lists: [List]
        }

        private func check(_ arguments: [String]) async throws -> Run {
            try await Client.run([Machine.tool, "--check"] + arguments, mode: .bare)
        }

        private func report(_ arguments: [String], status: Int) async throws -> [Report.Proxy] {
            let run = try await check(["--json"] + arguments)
            #expect(run.status == status && run.error.isEmpty, "\(run)")
            let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
            #expect(report.usable == (status == 0) && report.lists.count == 1)
            return report.lists.flatMap(\.proxies)
        }

        @Test func `A proxy that serves is usable, and is asked for what it was asked for`() async throws {
            try await withProxy(.with { $0.credentials = Credentials(user: "u", password: "p") }) { proxy, url in
                let result = try #require(try await report(["-x", url, "web.test:\(echo)"], status: 0).first)
                #expect(result.type == "socks5" && result.location == "\(proxy.host):\(proxy.port)")
                #expect(result.method == "password" && result.reach?.ok == true && result.login?.ok == true)
                #expect(result.connect?.ok == true && result.udp?.ok == true)
                #expect(result.bind?.ok == false && result.bind?.error == "refused: command not supported")
                #expect(proxy.requests.first == "CONNECT web.test:\(echo)" && proxy.requests.count == 3)
            }
        }

        @Test func `Without a target nothing is connected to`() async throws {
            try await withProxy { proxy, url in
                let result = try #require(try await report(["-x", url], status: 0).first)
                #expect(result.method == "none" && result.connect == nil)
                #expect(!proxy.requests.contains { $0.hasPrefix("CONNECT") })
            }
        }

        @Test func `What keeps a proxy from being used is said`() async throws {
            let target = "203.0.113.10:\(echo)"
            try await withProxy(.with { $0.chosenMethod = 0xff }) { _, url in
                let result = try #require(try await report(["-x", url, target], status: 1).first)
                #expect(
                    result.login?.error == "requires an authentication method that is not configured; "
                        + "give a user and a password, as in USER:PASSWORD@HOST:PORT")
                #expect(!result.usable && result.connect == nil)
            }
            try await withProxy(.with { $0.replyCode = 2 }) { _, url in
                let result = try #require(try await report(["-x", url, target], status: 1).first)
                #expect(result.login?.ok == true)
                #expect(result.connect?.error == "refused: connection not allowed by ruleset")
            }
            try await withProxy(.with { $0.fault = .init(.close, after: 1) }) { _, url in
                let result = try #require(try await report(["-x", url], status: 1).first)
                #expect(result.login?.error == "closed the connection during the handshake")
            }
            let nobody = try #require(try await report(["-x", "10.99.0.1:1", target], status: 1).first)
            #expect(nobody.reach?.error == "cannot be connected to: Connection refused; is the proxy running?")
        }

        @Test func `A proxy that says nothing is left after the time that was given`() async throws {
            try await withProxy(.with { $0.fault = .init(.hang, after: 0) }) { _, url in
                let result = try #require(try await report(["-x", url, "--timeout", "0.2"], status: 1).first)
                #expect(result.login?.error == "no answer within 0.2 seconds")
            }
        }

        @Test func `Each proxy of a strict chain is reached through those before it`() async throws {
            let second = try await TestProxy.start(host: "203.0.113.11")
            try await withProxy { first, url in
                let chain = ["-x", url, "-x", "203.0.113.11:\(second.port)", "web.test:\(echo)"]
                let run = try await check(chain)
                #expect(run.status == 0 && run.output.contains("\nok  the whole chain: "), "\(run)")
                #expect(second.requests.first == "CONNECT web.test:\(echo)")
                #expect(
                    !first.requests.contains { $0.hasPrefix("CONNECT") && $0 != "CONNECT 203.0.113.11:\(second.port)" })
            }
            try await withProxy { _, url in
                let proxies = try await report(
                    ["-x", url, "-x", "203.0.113.11:1", "-x", "10.99.0.1:1", "web.test:\(echo)"], status: 1)
                #expect(proxies.map(\.usable) == [true, false, false])
                let first = try #require(proxies.first).location
                #expect(proxies[1].reach?.error == "is not reached: socks5 \(first) refused: connection refused")
                #expect(proxies[2].reach?.error == "is behind an unusable proxy")
            }
            await second.stop()
        }

        @Test(arguments: ["socks4", "http", "raw"])
        func `Proxies of other types are tried in their own language`(type: String) async throws {
            let target = "web.test:\(echo)"
            let spoken: ProxyProtocol =
                switch type {
                case "socks4": .socks4
                case "http": .http
                default: .raw(to: Endpoint(Address("203.0.113.10"), port: UInt16(Targets.echoPort)))
                }
            try await withProxy(.with { $0.proxyProtocol = spoken }) { proxy, _ in
                let url = "\(type)://10.99.0.1:\(proxy.port)"
                let result = try #require(try await report(["-x", url, target], status: 0).first)
                #expect(result.type == type && result.reach?.ok == true && result.connect?.ok == true)
                #expect(result.login == nil && result.udp == nil && result.bind == nil)
                #expect(proxy.requests == ["CONNECT \(type == "raw" ? "203.0.113.10:\(echo)" : target)"])
            }
        }

        @Test func `What an HTTP proxy answers is said, and no password`() async throws {
            let script = Script.with {
                $0.proxyProtocol = .http
                $0.credentials = Credentials(user: "u", password: "s3cret")
            }
            try await withProxy(script) { proxy, _ in
                let place = "10.99.0.1:\(proxy.port)"
                let good = try await check(["-x", "http://u:s3cret@\(place)", "web.test:\(echo)", "--json"])
                #expect(good.status == 0 && good.output.contains(#""method": "basic""#), "\(good)")
                #expect(!good.output.contains("s3cret"))
                let bad = try #require(
                    try await report(["-x", "http://u:wrong@\(place)", "web.test:\(echo)"], status: 1).first)
                #expect(bad.connect?.error == "refused the user name or the password")
            }
        }

        @Test func `A proxy that speaks another language is asked about`() async throws {
            try await withProxy(.with { $0.proxyProtocol = .http }) { proxy, _ in
                let result = try #require(try await report(["-x", "10.99.0.1:\(proxy.port)"], status: 1).first)
                #expect(result.login?.error?.hasSuffix("; is it an HTTP proxy, http://HOST:PORT?") == true)
            }
            try await withProxy { proxy, _ in
                for (type, question) in [("http", "; is it an HTTP proxy?"), ("socks4", "; is it a SOCKS4 proxy?")] {
                    let url = "\(type)://10.99.0.1:\(proxy.port)"
                    let result = try #require(try await report(["-x", url, "web.test:\(echo)"], status: 1).first)
                    #expect(result.connect?.error?.hasSuffix(question) == true, "\(String(describing: result.connect))")
                }
            }
        }

        @Test func `A proxy at a socket of a path is tried there`() async throws {
            let path = try Machine.temporaryDirectory("u").appending(path: "s").path
            let proxy = try await TestProxy.start(unixPath: path)
            let result = try #require(try await report(["-x", path, "web.test:\(echo)"], status: 0).first)
            #expect(result.location == path && result.connect?.ok == true && result.udp?.ok == true)
            await proxy.stop()
            let gone = try #require(try await report(["-x", "unix:\(path)"], status: 1).first)
            #expect(gone.reach?.error == "cannot be connected to: No such file or directory; is the proxy running?")
        }

        @Test func `Proxies of a list within a chain are tried where it stands, and go on`() async throws {
            let second = try await TestProxy.start(host: "203.0.113.11")
            let last = try await TestProxy.start(host: "203.0.113.11")
            try await withProxy { first, url in
                let file = try Machine.file(
                    """
                    [ProxyList]
                    \(url)
                    list middle
                    socks5 203.0.113.11 \(last.port)
                    [Proxies middle]
                    dynamic_chain
                    socks5 203.0.113.11 1
                    socks5 203.0.113.11 \(second.port)
                    """)
                let run = try await check(["--json", "-f", file, "web.test:\(echo)"])
                let report = try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
                let chain = try #require(report.lists.first)
                #expect(chain.proxies.map(\.usable) == [true, false, true, true] && chain.chain?.ok == true, "\(run)")
                #expect(!chain.usable && chain.proxies.allSatisfy { $0.udp == nil })
                #expect(second.requests.contains("CONNECT 203.0.113.11:\(last.port)"))
                #expect(!first.requests.contains { $0.hasPrefix("CONNECT") && $0.hasSuffix(":\(last.port)") })
                #expect(
                    last.requests.filter { $0.hasPrefix("CONNECT") }
                        == Array(repeating: "CONNECT web.test:\(echo)", count: 2))
                // This side does not reach the proxies of the list, and the tool does not try them.
                #expect(report.lists.count == 1)
            }
            await second.stop()
            await last.stop()
        }

        @Test func `Every list that a rule leads to is tried, as its chains are made`() async throws {
            try await withProxy { proxy, url in
                let file = try Machine.file(
                    """
                    [ProxyList]
                    \(url)
                    [Proxies corp]
                    random_chain
                    chain_len = 1
                    \(url)
                    socks5 10.99.0.1 1
                    [Rules]
                    proxy corp host .corp.test
                    """)
                let run = try await check(["-f", file, "web.test:\(echo)"])
                #expect(run.status == 1, "\(run)")
                #expect(run.output.contains("The default chain (strict_chain)\n"), "\(run)")
                #expect(run.output.contains("\nThe list corp (random_chain), each proxy by itself\n"), "\(run)")
                let marks = run.output.split(separator: "\n").compactMap { $0.wholeMatch(of: /(ok|NO) socks5 .*/)?.1 }
                #expect(marks == ["ok", "ok", "NO"], "\(run)")
                #expect(proxy.requests.count { $0 == "CONNECT web.test:\(echo)" } == 2)
            }
        }

        @Test func `A table is for people, and progress for those at a terminal`() async throws {
            try await withProxy { proxy, url in
                let run = try await check(["-x", url])
                #expect(run.error.isEmpty, "\(run)")
                let line = try #require(run.output.split(separator: "\n").first { $0.hasPrefix("ok ") })
                #expect(line.hasPrefix("ok socks5 \(proxy.host):\(proxy.port)  "))
                // Standard error is the terminal of script(1); standard output is not a terminal.
                let terminal = try await Client.run(
                    ["script", "-qec", "\(Machine.tool) --check -x \(url) >/dev/null", "/dev/null"], mode: .bare)
                #expect(terminal.output.contains("\r\u{1b}[Kchecking socks5 \(proxy.host):\(proxy.port): datagrams"))
                #expect(terminal.output.hasSuffix("\r\u{1b}[K"), "\(terminal)")
            }
        }

        @Test(arguments: ["process", "tree"])
        func `A user name keeps connections apart, as those of a program`(isolation: String) async throws {
            try await withProxy(.with { $0.chosenMethod = 2 }) { proxy, url in
                let file = try Machine.file("isolate \(isolation)\n[ProxyList]\n\(url)\n")
                let result = try #require(try await report(["-f", file, "web.test:\(echo)"], status: 0).first)
                #expect(result.method == "password" && result.login?.ok == true && result.connect?.ok == true)
                let credentials = proxy.sessions.compactMap(\.credentials)
                #expect(credentials.count == 3 && Set(credentials.map(\.user)).count == 1)
                #expect(credentials.allSatisfy { $0.user.count == 32 && $0.password == $0.user })
            }
        }

        @Test func `A first proxy may be given by name, or by the file that has its password`() async throws {
            try await withProxy(.with { $0.credentials = Credentials(user: "u", password: "p") }) { proxy, _ in
                let file = try Machine.file("[ProxyList]\nsocks5://u:p@proxy.test:\(proxy.port)\n", permissions: 0o600)
                let result = try #require(try await report(["-f", file, "web.test:\(echo)"], status: 0).first)
                #expect(result.location == "proxy.test:\(proxy.port)" && result.method == "password")
            }
        }
    }
}
