import Addressing
import ProxyConfig
import SeededGenerator
import Testing

private func configuration(_ rules: String, _ globals: String = "") -> Configuration {
    let parsed = Configuration.parse(
        "\(globals)\n[Rules]\n\(rules)\n[ProxyList]\nsocks5 10.0.0.1 1080\n[Proxies corp]\nsocks5 10.0.0.2 1080")
    #expect(parsed.errors.isEmpty)
    return parsed.configuration
}

@Suite struct NameRoutingTests {
    private func route(
        _ name: String, port: UInt16 = 80, _ rules: String, _ globals: String = "",
        command: Rule.Command = .connect
    ) -> NameRoute {
        configuration(rules, globals).route(toName: Array(name.utf8).span, port: port, command: command)
    }

    private func lookup(
        _ name: String, port: UInt16? = nil, transport: Transport? = nil, _ rules: String
    ) -> LookupRoute {
        configuration(rules).lookup(of: Array(name.utf8).span, port: port, transport: transport)
    }

    @Test func names() {
        #expect(route("a.example", "") == .proxy(list: 0))
        #expect(route("a.example", "direct host .example") == .direct)
        #expect(route("A.Example.", "proxy corp host a.example") == .proxy(list: 1))
        #expect(route("a.example", "block unreachable host a.*") == .refuse(.blocked(.unreachable)))
        #expect(route("a.example", port: 22, "direct host .example port 22\nproxy corp") == .direct)
        #expect(route("a.example", port: 23, "direct host .example port 22\nproxy corp") == .proxy(list: 1))
    }

    /// A name that only the proxy looks up has no address to compare with a network.
    @Test func networks() {
        #expect(route("a.example", "block net 0.0.0.0/0\nblock net ::/0") == .proxy(list: 0))
        #expect(route("a.example", "block host a.example net 0.0.0.0/0") == .proxy(list: 0))
    }

    /// `udp` or a rule on datagrams decides about a datagram to a name.
    @Test func datagrams() {
        #expect(route("a", "", command: .udp) == .proxy(list: 0))
        for udp in ["udp block", "udp direct"] {
            #expect(route("a", "", udp, command: .udp) == .refuse(.udpBlocked))
            #expect(route("a", "proxy corp host a", udp, command: .udp) == .refuse(.udpBlocked))
            #expect(route("a", "proxy corp host a proto udp", udp, command: .udp) == .proxy(list: 1))
            #expect(route("a", "direct host a", udp, command: .udp) == .direct)
            #expect(route("a", "proxy corp host a", udp) == .proxy(list: 1))
        }
    }

    // MARK: Lookups

    @Test(arguments: [
        // No rule names the name.
        ("", LookupRoute.byMode), ("direct host .b", .byMode), ("direct net 10.0.0.0/8", .byMode),
        ("block port 25", .byMode), ("proxy", .byMode), ("block", .byMode), ("proxy port 443\ndirect port 80", .byMode),
        ("direct command bind\nblock command bind", .byMode), ("proxy port 443\ndirect", .byMode),
        // The decision depends on nothing else.
        ("direct host .a", .local), ("direct", .local), ("direct proto tcp,udp", .local),
        ("proxy host b\ndirect", .local), ("direct port 22\ndirect host a.a", .local),
        ("proxy host a.a", .proxy), ("block host .a", .proxy), ("block port 25\nproxy corp host ?.a", .proxy),
        ("proxy host .a port 80\nblock host .a", .proxy),
        // The decision depends on the port, or on the protocol.
        ("direct host .a port 22", .undecided), ("proxy host .a port 22", .undecided),
        ("direct host .a proto udp", .undecided), ("direct host .a command connect", .undecided),
        ("direct port 22\nproxy host .a", .undecided), ("block proto udp\ndirect host .a", .undecided),
        ("proxy host .a port 80\ndirect", .undecided),
    ])
    func lookups(rules: String, expected: LookupRoute) {
        #expect(lookup("a.a", rules) == expected)
        #expect(lookup("A.A.", rules) == expected)
    }

    /// The decision uses the port and the protocol that the program gives.
    @Test func knownPorts() {
        let rules = "direct host .a port 22\nblock host .a proto udp port 53\nproxy corp host b"
        #expect(lookup("a", port: 22, rules) == .local)
        #expect(lookup("a", port: 80, rules) == .byMode)
        #expect(lookup("a", port: 53, rules) == .undecided)
        #expect(lookup("a", port: 53, transport: .udp, rules) == .proxy)
        #expect(lookup("a", port: 53, transport: .tcp, rules) == .byMode)
        #expect(lookup("a", port: nil, transport: .tcp, rules) == .undecided)
        #expect(lookup("b", port: 53, transport: .tcp, rules) == .proxy)
    }

    /// A decision at the look-up of a name holds for every use of the name.
    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func lookupsKeepTheirWord(seed: UInt64) {
        var generator = SplitMix(state: seed)
        let words = [
            "host a", "host .a", "host *.b", "host b.a", "port 22", "port 80", "port 22-80", "proto tcp", "proto udp",
            "command connect", "net 10.0.0.0/8", "",
        ]
        let actions = ["direct", "block", "proxy", "proxy corp"]
        var decided = 0
        for _ in 0..<500 {
            let lines = (0..<(generator.next() % 5)).map { _ in
                let first = words[Int(generator.next() % 12)]
                let second = words[Int(generator.next() % 12)]
                return "\(actions[Int(generator.next() % 4)]) \(first) \(second)"
            }
            let parsed = Configuration.parse("[Rules]\n\(lines.joined(separator: "\n"))\n[Proxies corp]\nsocks5 ::1 1")
            guard parsed.errors.isEmpty else { continue }
            for name in ["a", "b.a", "c.b", "d"] {
                let bytes = Array(name.utf8)
                let lookup = parsed.configuration.lookup(of: bytes.span, port: nil, transport: nil)
                var routes: [NameRoute] = []
                for port in [22, 80, 443] as [UInt16] {
                    for command in [Rule.Command.connect, .udp] {
                        routes.append(parsed.configuration.route(toName: bytes.span, port: port, command: command))
                    }
                }
                switch lookup {
                case .local: #expect(routes.allSatisfy { $0 == .direct }, "\(lines) \(name)")
                case .proxy: #expect(!routes.contains(.direct), "\(lines) \(name)")
                case .undecided, .byMode: continue
                }
                decided += 1
            }
        }
        // The test must have compared enough decisions.
        #expect(decided > 100)
    }
}
