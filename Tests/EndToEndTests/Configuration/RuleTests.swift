import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// What `[Rules]` send direct, through the proxy, or nowhere. The client's side reaches only 10.99.0.1 without a
    /// proxy. An echo server listens there, and a name server that gives this address for every name in `near.test`.
    @Suite struct RuleTests {
        private static let near = Machine.proxyIPv4
        private static let echoPort = 7100

        private static let echo = Task { try await TargetServer.start(.echo, host: near, port: echoPort) }
        /// Returns the lines of the probe under these rules, and checks the requests to the proxy. The proxy refuses
        /// everything with "TTL expired", an error that no rule gives.
        private func follow(
            _ rules: [String], globals: [String] = [], _ ways: String..., asked: [String] = [],
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> [String] {
            _ = try await (RuleTests.echo.value, NameServers.near.value)
            var output: CallProbe.Output?
            try await withProxy(.with { $0.replyCode = 6 }) { proxy, url in
                let text = (globals + ["[ProxyList]", url, "[Rules]"] + rules).joined(separator: "\n")
                try await ConfigurationText(text).write { path in
                    output = try await CallProbe.run(
                        "ways", ways.flatMap { $0.split(separator: " ").map(String.init) },
                        environment: ["SOCKSIFY_CONF": path], preparation: NameServers.askingNear)
                }
                let requests = proxy.sessions.compactMap { $0.request.map { "\($0)" } }
                #expect(requests == asked, "\(String(describing: output))", sourceLocation: sourceLocation)
            }
            return try #require(output).lines
        }

        private static var port: Int { echoPort }

        @Test func `A blocked name fails with the error that the rule says, and the proxy is not asked`() async throws {
            let lines = try await follow(
                ["block host a.test", "block unreachable host .b.test", "block refused host *ads*"],
                "tcp a.test 80", "TCP a.test 80", "old a.test 80", "later a.test 80", "tcp www.b.test 80",
                "tcp b.test 80", "tcp my-ads.test 80", "tcp c.test 80",
                asked: ["CONNECT c.test:80"])
            #expect(
                lines == [
                    "tcp a.test 80: ECONNREFUSED", "TCP a.test 80: ECONNREFUSED", "old a.test 80: ECONNREFUSED",
                    "later a.test 80: ECONNREFUSED", "tcp www.b.test 80: EHOSTUNREACH",
                    "tcp b.test 80: EHOSTUNREACH", "tcp my-ads.test 80: ECONNREFUSED", "tcp c.test 80: ETIMEDOUT",
                ])
        }

        @Test func `A name that a rule says is direct is resolved here and connected to direct`() async throws {
            let (near, port) = (RuleTests.near, RuleTests.port)
            let lines = try await follow(
                ["direct host .near.test"], "tcp www.near.test \(port)", "TCP www.near.test \(port)",
                "old www.near.test \(port)", "later www.near.test \(port)", "tcp \(near) \(port)",
                asked: [])
            #expect(
                lines == [
                    "tcp www.near.test \(port): 0 \(near) \(port)", "TCP www.near.test \(port): 0 \(near) \(port)",
                    "old www.near.test \(port): 0 \(near) \(port)", "later www.near.test \(port): 0 \(near) \(port)",
                    // The library has given out this address for the name.
                    "tcp \(near) \(port): 0 \(near) \(port)",
                ])
        }

        @Test func `An address that no rule speaks of goes to the proxy, though a name has a direct one`() async throws
        {
            let lines = try await follow(
                ["direct host www.near.test"], "tcp \(RuleTests.near) 7100", "tcp other.near.test 7100",
                asked: ["CONNECT \(RuleTests.near):7100", "CONNECT other.near.test:7100"])
            #expect(lines == ["tcp \(RuleTests.near) 7100: ETIMEDOUT", "tcp other.near.test 7100: ETIMEDOUT"])
        }

        @Test func `What a rule makes depend on the port is decided when the port is known`() async throws {
            let (near, port) = (RuleTests.near, RuleTests.port)
            let lines = try await follow(
                ["direct host www.near.test port \(port)", "block host www.near.test port 81-83,85"],
                "tcp www.near.test \(port)", "TCP www.near.test \(port)", "later www.near.test \(port)",
                "tcp www.near.test 80", "tcp www.near.test 82", "tcp www.near.test 84", "tcp www.near.test 85",
                asked: ["CONNECT www.near.test:80", "CONNECT www.near.test:84"])
            #expect(
                lines == [
                    "tcp www.near.test \(port): 0 \(near) \(port)", "TCP www.near.test \(port): 0 \(near) \(port)",
                    "later www.near.test \(port): 0 \(near) \(port)", "tcp www.near.test 80: ETIMEDOUT",
                    "tcp www.near.test 82: ECONNREFUSED", "tcp www.near.test 84: ETIMEDOUT",
                    "tcp www.near.test 85: ECONNREFUSED",
                ])
        }

        @Test func `A port alone decides on names and addresses`() async throws {
            let (near, port) = (RuleTests.near, RuleTests.port)
            let lines = try await follow(
                ["direct port \(port)", "block port 25"], "tcp www.near.test \(port)", "tcp \(near) \(port)",
                "tcp web.test 25", "tcp web.test 26", asked: ["CONNECT web.test:26"])
            #expect(
                lines == [
                    "tcp www.near.test \(port): 0 \(near) \(port)", "tcp \(near) \(port): 0 \(near) \(port)",
                    "tcp web.test 25: ECONNREFUSED", "tcp web.test 26: ETIMEDOUT",
                ])
        }

        @Test func `Where everything else is direct, only what the rules name goes to the proxy`() async throws {
            let (near, port) = (RuleTests.near, RuleTests.port)
            let lines = try await follow(
                ["proxy host *.onion", "proxy net 192.0.2.0/24,2001:db8::/32", "direct"],
                "tcp www.near.test \(port)", "tcp x.onion 80", "tcp 192.0.2.1 80", "tcp 2001:db8::1 80",
                "tcp \(near) \(port)", "tcp unknown.test 80",
                asked: ["CONNECT x.onion:80", "CONNECT 192.0.2.1:80", "CONNECT [2001:db8::1]:80"])
            #expect(
                lines == [
                    "tcp www.near.test \(port): 0 \(near) \(port)", "tcp x.onion 80: ETIMEDOUT",
                    "tcp 192.0.2.1 80: ETIMEDOUT", "tcp 2001:db8::1 80: ETIMEDOUT",
                    "tcp \(near) \(port): 0 \(near) \(port)", "tcp unknown.test 80: ENETUNREACH",
                ])
        }

        @Test func `With local names a rule still keeps the names that it sends to the proxy, or blocks`() async throws
        {
            let (near, port) = (RuleTests.near, RuleTests.port)
            let lines = try await follow(
                ["proxy host a.near.test", "block host b.near.test", "direct host c.near.test", "direct net \(near)"],
                globals: ["dns local"], "tcp a.near.test \(port)", "tcp b.near.test \(port)",
                "old c.near.test \(port)", "tcp d.near.test \(port)", asked: ["CONNECT a.near.test:\(port)"])
            #expect(
                lines == [
                    "tcp a.near.test \(port): ETIMEDOUT", "tcp b.near.test \(port): ECONNREFUSED",
                    "old c.near.test \(port): 0 \(near) \(port)", "tcp d.near.test \(port): 0 \(near) \(port)",
                ])
        }

        @Test func `Rules go before localnet and loopback, and dnat holds for what they send to the proxy`()
            async throws
        {
            let lines = try await follow(
                ["proxy net 10.99.0.1 port 7100", "block net 127.0.0.0/8 port 7", "proxy net 192.0.2.1"],
                globals: ["localnet 10.0.0.0/8", "dnat 192.0.2.1 192.0.2.7:90"], "tcp 10.99.0.1 7100",
                "tcp 10.99.0.1 7101", "tcp 127.0.0.1 7", "tcp 127.0.0.1 8", "tcp 192.0.2.1 80",
                asked: ["CONNECT 10.99.0.1:7100", "CONNECT 192.0.2.7:90"])
            #expect(
                lines == [
                    "tcp 10.99.0.1 7100: ETIMEDOUT", "tcp 10.99.0.1 7101: ECONNREFUSED",
                    "tcp 127.0.0.1 7: ECONNREFUSED", "tcp 127.0.0.1 8: ECONNREFUSED", "tcp 192.0.2.1 80: ETIMEDOUT",
                ])
        }

        @Test func `Names of the hosts file keep their addresses, and rules on the names hold for these`() async throws
        {
            let lines = try await follow(
                ["direct host proxy.test", "block host inhosts.test"], "tcp proxy.test \(RuleTests.port)",
                "tcp inhosts.test 80", "TCP inhosts.test 80", "old inhosts.test 80", asked: [])
            #expect(
                lines == [
                    "tcp proxy.test \(RuleTests.port): 0 \(RuleTests.near) \(RuleTests.port)",
                    "tcp inhosts.test 80: ECONNREFUSED", "TCP inhosts.test 80: ECONNREFUSED",
                    "old inhosts.test 80: ECONNREFUSED",
                ])
        }

        @Test func `Datagrams follow rules of their own`() async throws {
            let lines = try await follow(
                [
                    "block proto udp port 443", "block unreachable command udp host web.test",
                    "direct proto udp net 10.99.0.1",
                ],
                "udp other.test 443", "UDP web.test 444", "udp 10.99.0.1 9", "tcp web.test 443",
                asked: ["CONNECT web.test:443"])
            #expect(
                lines == [
                    "udp other.test 443: ECONNREFUSED", "UDP web.test 444: EHOSTUNREACH",
                    "udp 10.99.0.1 9: 0 10.99.0.1 9", "tcp web.test 443: ETIMEDOUT",
                ])
        }

        @Test func `A rule for connections alone sends no datagram direct`() async throws {
            let lines = try await follow(
                ["direct proto tcp net 10.99.0.1"], globals: ["udp block"], "udp 10.99.0.1 9",
                "tcp 10.99.0.1 \(RuleTests.port)")
            #expect(
                lines == [
                    "udp 10.99.0.1 9: ENETUNREACH", "tcp 10.99.0.1 \(RuleTests.port): 0 10.99.0.1 \(RuleTests.port)",
                ])
        }

        @Test func `A datagram to a name that is direct by its port alone goes nowhere, and a line says why`()
            async throws
        {
            _ = try await NameServers.near.value
            try await withProxy { _, url in
                try await ConfigurationText("[ProxyList]\n\(url)\n[Rules]\ndirect port 7100").write { path in
                    let output = try await CallProbe.run(
                        "ways", ["udp", "www.near.test", "7100"], environment: ["SOCKSIFY_CONF": path],
                        preparation: NameServers.askingNear,
                        ending: .logging(
                            "udp www.near.test: a rule sends this direct by its port alone, and no address"
                                + " is known; name the host in a rule"))
                    #expect(output.lines == ["udp www.near.test 7100: EHOSTUNREACH"])
                }
            }
        }

        @Test func `What an address was given out for is known to a child that connects to it`() async throws {
            let (near, port) = (RuleTests.near, RuleTests.port)
            _ = try await (RuleTests.echo.value, NameServers.near.value)
            try await withProxy(.with { $0.replyCode = 6 }) { proxy, url in
                let text = "[ProxyList]\n\(url)\n[Rules]\ndirect host www.near.test"
                let run = try await Client.run(
                    [
                        "unshare", "--mount", "sh", "-ec",
                        "\(NameServers.askingNear); address=$(getent ahostsv4 www.near.test | head -1 | cut -d' ' -f1); "
                            + "echo $address; echo hello | nc -N $address \(port)",
                    ], configuration: text, strays: nil)
                #expect(run.output == "\(near)\nhello\n", "\(run)")
                #expect(proxy.requests == [])
            }
        }
    }
}
