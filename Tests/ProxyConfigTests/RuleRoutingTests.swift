import Addressing
import ProxyConfig
import Testing

private func configuration(_ rules: String, _ globals: String = "") -> Configuration {
    let parsed = Configuration.parse(
        "\(globals)\n[Rules]\n\(rules)\n[ProxyList]\nsocks5 10.0.0.1 1080\n[Proxies corp]\nsocks5 10.0.0.2 1080")
    #expect(parsed.errors.isEmpty)
    return parsed.configuration
}

private func proxied(_ host: String, _ port: UInt16 = 80, list: Int = 0) -> Route {
    .proxy(list: list, address: IPAddress(host)!, port: port)
}

/// The effect of rules on connections and datagrams to addresses.
@Suite struct RuleRoutingTests {
    private func route(
        _ host: String, port: UInt16 = 80, name: String = "", _ rules: String, _ globals: String = ""
    ) -> Route {
        configuration(rules, globals).route(to: IPAddress(host)!, port: port, name: Array(name.utf8).span)
    }

    private func datagram(
        _ host: String, port: UInt16 = 80, name: String = "", _ rules: String, _ globals: String = ""
    ) -> Route {
        configuration(rules, globals).routeDatagram(to: IPAddress(host)!, port: port, name: Array(name.utf8).span)
    }

    @Test func actions() {
        #expect(route("1.1.1.1", "direct") == .direct)
        #expect(route("1.1.1.1", "block") == .refuse(.blocked(.refused)))
        #expect(route("1.1.1.1", "block unreachable") == .refuse(.blocked(.unreachable)))
        #expect(route("1.1.1.1", "proxy") == proxied("1.1.1.1"))
        #expect(route("::ffff:1.1.1.1", "proxy corp") == proxied("1.1.1.1", list: 1))
    }

    @Test func firstMatchWins() {
        let rules = "direct port 22\nblock net 10.0.0.0/8\nproxy corp net 10.0.0.0/7 port 22-80\ndirect host .corp"
        #expect(route("10.0.0.1", port: 22, rules) == .direct)
        #expect(route("10.0.0.1", port: 80, rules) == .refuse(.blocked(.refused)))
        #expect(route("::ffff:11.0.0.1", port: 80, rules) == proxied("11.0.0.1", list: 1))
        #expect(route("11.0.0.1", port: 81, rules) == proxied("11.0.0.1", 81))
        #expect(route("11.0.0.1", port: 81, name: "WWW.Corp.", rules) == .direct)
        #expect(route("11.0.0.1", port: 80, name: "www.corp", rules) == proxied("11.0.0.1", list: 1))
    }

    /// A rule matches only if all its criteria match.
    @Test func allKinds() {
        let rule = "direct host a.example net 10.0.0.0/8 port 80 proto tcp"
        #expect(route("10.1.1.1", port: 80, name: "a.example", rule) == .direct)
        #expect(route("11.1.1.1", port: 80, name: "a.example", rule) == proxied("11.1.1.1"))
        #expect(route("10.1.1.1", port: 80, name: "b.example", rule) == proxied("10.1.1.1"))
        #expect(route("10.1.1.1", port: 80, rule) == proxied("10.1.1.1"))
        #expect(route("10.1.1.1", port: 81, name: "a.example", rule) == proxied("10.1.1.1", 81))
        #expect(datagram("10.1.1.1", port: 80, name: "a.example", rule) == proxied("10.1.1.1"))
    }

    /// An address without a known name matches no rule on names.
    @Test func addressesWithoutNames() {
        for rule in ["direct host *", "direct host *,a.example", "direct host * net 10.0.0.0/8"] {
            #expect(route("10.1.1.1", rule) == proxied("10.1.1.1"))
            #expect(datagram("10.1.1.1", rule) == proxied("10.1.1.1"))
            #expect(route("10.1.1.1", name: "b.example", rule) == .direct)
        }
    }

    /// A rule precedes `localnet` and `loopback`. It sees the destination that the program named; `dnat` applies to
    /// traffic that then goes to a proxy.
    @Test func beforeTheRest() {
        #expect(route("10.0.0.1", "proxy net 10.0.0.0/8", "localnet 10.0.0.0/8") == proxied("10.0.0.1"))
        #expect(route("127.0.0.1", "proxy net 127.0.0.0/8") == proxied("127.0.0.1"))
        #expect(route("127.0.0.1", "block") == .refuse(.blocked(.refused)))
        let dnat = "dnat 1.1.1.1 2.2.2.2:81\n"
        #expect(route("1.1.1.1", "proxy corp net 1.1.1.1", dnat) == proxied("2.2.2.2", 81, list: 1))
        #expect(route("1.1.1.1", "proxy corp net 2.2.2.2", dnat) == proxied("2.2.2.2", 81))
        #expect(route("1.1.1.1", "direct net 1.1.1.1", dnat) == .direct)
    }

    /// Rules do not apply to addresses of this machine, nor to reserved addresses.
    @Test func notDecidedByRules() {
        #expect(route("0.0.0.0", "block") == .direct)
        #expect(route("::", "direct", "loopback proxy") == .refuse(.unspecifiedAddress))
        #expect(route("198.18.0.1", "direct") == .refuse(.unknownName))
        // Rules on names need reserved addresses, whatever `dns` says.
        #expect(route("198.18.0.1", "direct", "dns local") == .direct)
        #expect(route("198.18.0.1", "direct\nproxy host a", "dns local") == .refuse(.unknownName))
    }

    /// For datagrams, `udp` decides after a rule `proxy` that does not name them.
    @Test func datagrams() {
        for udp in ["associate", "block", "direct"] {
            let globals = "udp \(udp)"
            #expect(datagram("1.1.1.1", "direct", globals) == .direct)
            #expect(datagram("1.1.1.1", "block unreachable", globals) == .refuse(.blocked(.unreachable)))
            #expect(datagram("1.1.1.1", "proxy corp proto udp", globals) == proxied("1.1.1.1", list: 1))
            #expect(datagram("1.1.1.1", "proxy corp command udp", globals) == proxied("1.1.1.1", list: 1))
        }
        #expect(datagram("1.1.1.1", "proxy corp", "udp associate") == proxied("1.1.1.1", list: 1))
        #expect(datagram("1.1.1.1", "proxy corp", "udp block") == .refuse(.udpBlocked))
        #expect(datagram("1.1.1.1", "proxy corp", "udp direct") == .direct)
        #expect(datagram("1.1.1.1", "block proto tcp") == proxied("1.1.1.1"))
        #expect(datagram("1.1.1.1", "block command connect") == proxied("1.1.1.1"))
        #expect(route("1.1.1.1", "block command udp") == proxied("1.1.1.1"))
    }

    /// Multicast is direct unless a rule decides otherwise.
    @Test func multicast() {
        #expect(datagram("224.0.0.251", port: 5353, "direct net 10.0.0.0/8") == .direct)
        #expect(datagram("224.0.0.251", port: 5353, "block net 224.0.0.0/4") == .refuse(.blocked(.refused)))
        #expect(datagram("ff02::fb", port: 5353, "proxy corp") == proxied("ff02::fb", 5353, list: 1))
    }

    // MARK: Reasons

    @Test func reasons() {
        let text = """
            loopback direct
            localnet 10.0.0.0/8
            localnet 10.9.0.0/16
            localnet 2.0.0.0/8
            dnat 1.1.1.1 1.1.1.2
            dnat 3.3.3.3 2.2.2.2
            udp block
            bind block
            remote_dns_subnet 30
            dns fake
            [Rules]
            block port 25
            proxy net 3.3.3.3 port 80
            [ProxyList]
            socks5 5.5.5.5 1080
            """
        let parsed = Configuration.parse(text)
        func line(_ reason: Reason) -> Int? { parsed.position(of: reason)?.line }
        func stream(_ host: String, _ port: UInt16 = 443) -> Decision<Route> {
            parsed.configuration.streamDecision(to: IPAddress(host)!, port: port, name: Span())
        }
        #expect(stream("1.2.3.4", 25).reason == .rule(0))
        #expect(line(.rule(0)) == 12)
        #expect(line(.rule(1)) == 13)
        #expect(stream("10.9.0.1").reason == .localNetwork(0))
        #expect(parsed.position(of: .localNetwork(2)) == SourcePosition(line: 4, column: 10))
        let translated = stream("3.3.3.3")
        #expect(translated.reason == .localNetwork(2))
        #expect(translated.translation == 1)
        #expect(parsed.position(ofTranslation: 1)?.line == 6)
        #expect(stream("3.3.3.3", 80).translation == 1)
        #expect(stream("127.0.0.1").reason == .loopback)
        #expect(line(.loopback) == 1)
        #expect(stream("0.0.0.0").reason == .unspecifiedAddress)
        #expect(stream("30.0.0.1").reason == .reservedAddress)
        #expect(line(.reservedAddress) == 9)
        #expect(stream("9.9.9.9").reason == .defaultChain)
        #expect(line(.defaultChain) == 14)
        let datagram = parsed.configuration.datagramDecision(to: IPAddress("9.9.9.9")!, port: 1, name: Span())
        #expect(datagram.reason == .udpPolicy)
        #expect(line(.udpPolicy) == 7)
        #expect(parsed.configuration.listenerDecision(at: IPAddress("::")!, port: 1).reason == .listenerPolicy)
        #expect(line(.listenerPolicy) == 8)
        #expect(line(.dnsMode) == 10)
        #expect(line(.rule(9)) == nil)
        #expect(Configuration.parse("").position(of: .loopback) == nil)
        #expect(parsed.position(ofHop: 0, inList: 0) == SourcePosition(line: 15, column: 1))
    }

    // MARK: Other protocols

    @Test(arguments: [
        ("", "", true), ("", "direct", false), ("", "direct net 10.0.0.0/8", true), ("", "proxy\ndirect", true),
        ("", "block port 1\ndirect", false), ("other_protocols direct", "", false),
        ("other_protocols block", "direct", true),
    ])
    func otherProtocols(globals: String, rules: String, blocks: Bool) {
        #expect(configuration(rules, globals).blocksOtherProtocols == blocks)
    }
}

/// The effect of rules on listening sockets.
@Suite struct ListenerRoutingTests {
    private func route(_ host: String, _ port: UInt16, _ rules: String, _ globals: String = "") -> ListenerRoute {
        configuration(rules, globals).routeListener(at: IPAddress(host)!, port: port)
    }

    @Test func withoutRules() {
        #expect(route("0.0.0.0", 80, "") == .direct)
        #expect(route("0.0.0.0", 80, "", "bind block") == .block(.refused))
    }

    /// Only rules that name the command apply to them.
    @Test func rules() {
        #expect(route("0.0.0.0", 80, "block") == .direct)
        #expect(route("0.0.0.0", 80, "block command connect,udp") == .direct)
        #expect(route("0.0.0.0", 80, "block unreachable command bind") == .block(.unreachable))
        #expect(route("::ffff:127.0.0.1", 80, "direct net 127.0.0.0/8 command bind", "bind block") == .direct)
        #expect(route("0.0.0.0", 80, "direct net 127.0.0.0/8 command bind", "bind block") == .block(.refused))
        #expect(route("::", 8080, "direct port 8000-8999 command bind\nblock command bind") == .direct)
        #expect(route("::", 9000, "direct port 8000-8999 command bind\nblock command bind") == .block(.refused))
    }

    /// They do not apply to outgoing traffic.
    @Test func nothingElse() {
        let configuration = configuration("block command bind")
        #expect(configuration.route(to: IPAddress("1.1.1.1")!, port: 1) == proxied("1.1.1.1", 1))
    }
}
