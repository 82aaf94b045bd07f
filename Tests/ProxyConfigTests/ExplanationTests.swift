import Addressing
import ProxyConfig
import Testing

private let file = """
    dns fake
    localnet 10.0.0.0/8
    dnat 1.1.1.1 2.2.2.2:80
    udp block
    [Rules]
    direct host .local.example
    block unreachable net 172.16.0.0/12
    direct host .corp.example
    proxy tor host .onion,*.tor.example
    direct host mail.example port 25
    [App curl]
    proxy tor port 9999
    [ProxyList]
    socks5 5.5.5.5 1080
    [Proxies tor]
    socks5 127.0.0.1 9050
    """

private func explain(
    _ host: String, _ port: UInt16 = 443, _ transport: Transport = .tcp, file: String = file, program: String? = nil
) -> Explanation {
    let program = program.map { ProgramIdentity(executable: Array($0.utf8)) }
    let host = IPAddress(host).map(Host.address) ?? .name(HostName(host)!)
    return Configuration.parse(file, program: program).explanation(of: host, port: port, transport: transport)
}

@Suite struct ExplanationTests {
    @Test func addresses() {
        let other = explain("9.9.9.9")
        #expect(other.lookup == nil)
        #expect(other.way == .proxy(list: 0, destination: endpoint("9.9.9.9", 443)))
        #expect(other.reason == .defaultChain)
        #expect(other.position?.line == 13)

        let blocked = explain("172.16.0.1")
        #expect(blocked.way == .refuse(.blocked(.unreachable)))
        #expect(blocked.position == SourcePosition(line: 7, column: 1))

        let translated = explain("1.1.1.1")
        #expect(translated.way == .proxy(list: 0, destination: endpoint("2.2.2.2", 80)))
        #expect(translated.translationPosition?.line == 3)

        #expect(explain("10.1.1.1").way == .direct)
        #expect(explain("10.1.1.1").position?.line == 2)
        let datagram = explain("9.9.9.9", 443, .udp)
        #expect(datagram.way == .refuse(.udpBlocked))
        #expect(datagram.position?.line == 4)
    }

    @Test func names() {
        let onion = explain("a.onion")
        #expect(onion.lookup == .reserved)
        #expect(onion.way == .proxy(list: 1, destination: endpoint("a.onion", 443)))
        #expect(onion.position?.line == 9)

        let other = explain("example.org")
        #expect(other.lookup == .reserved)
        #expect(other.way == .proxy(list: 0, destination: endpoint("example.org", 443)))
        #expect(other.reason == .defaultChain)

        // No look-up on this machine can change the answer here; below a rule on networks it can.
        let local = explain("a.local.example")
        #expect(local.lookup == .local)
        #expect(local.way == .direct)
        #expect(local.position?.line == 6)
        let corp = explain("www.corp.example")
        #expect(corp.lookup == .local)
        #expect(corp.way == .byAddress)
        #expect(corp.position?.line == 8)

        #expect(explain("mail.example", 25).position?.line == 10)
        #expect(explain("mail.example", 26).reason == .defaultChain)
        #expect(explain("example.org", 443, .udp).way == .refuse(.udpBlocked))
    }

    /// The address decides, and the name still counts for it.
    @Test func addressesOfNames() {
        let parsed = Configuration.parse(file)
        func explain(_ address: String) -> Explanation {
            parsed.explanation(
                of: IPAddress(address)!, lookedUpAs: HostName("www.corp.example"), port: 443, transport: .tcp)
        }
        #expect(explain("8.8.8.8").way == .direct)
        #expect(explain("8.8.8.8").position?.line == 8)
        #expect(explain("172.16.0.1").way == .refuse(.blocked(.unreachable)))
    }

    @Test(arguments: [
        ("dns local", "example.org", Explanation.Lookup.local), ("dns tor", "example.org", .tor),
        ("dns tor", "a.ONION.", .reserved), ("dns tcp 9.9.9.9", "example.org", .server(endpoint("9.9.9.9", 53))),
        ("dns fake", "example.org", .reserved),
    ])
    func lookups(keyword: String, name: String, lookup: Explanation.Lookup) {
        let explanation = explain(name, file: keyword + "\n[ProxyList]\nsocks5 5.5.5.5 1080")
        #expect(explanation.lookup == lookup)
        #expect((explanation.way == .byAddress) == (lookup != .reserved))
        if lookup != .reserved { #expect(explanation.position?.line == 1) }
    }

    @Test func programs() {
        #expect(explain("9.9.9.9", 9999, program: "/usr/bin/curl").position?.line == 12)
        #expect(explain("9.9.9.9", 9999, program: "/usr/bin/wget").position?.line == 13)
    }
}
