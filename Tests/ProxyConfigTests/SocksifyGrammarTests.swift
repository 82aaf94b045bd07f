import ProxyConfig
import Testing

private let server = "a DNS server, as in '9.9.9.9', '[2620:fe::fe]:53' or 'dns.example:53'"

@Suite struct SocksifyGrammarTests {
    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func loopback(style: ConfigurationStyle) {
        #expect(flawless("loopback direct", style: style)?.loopback == .direct)
        #expect(flawless("loopback proxy", style: style)?.loopback == .proxy)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func dns(style: ConfigurationStyle) {
        #expect(flawless("dns fake", style: style)?.dns == .fake)
        #expect(flawless("dns tor", style: style)?.dns == .tor)
        #expect(flawless("dns local", style: style)?.dns == .local)
    }

    /// A name server has an address or a name, and port 53 by default.
    @Test(
        arguments: [
            ("9.9.9.9", "9.9.9.9", 53), ("9.9.9.9:5353", "9.9.9.9", 5353), ("9.9.9.9:65535", "9.9.9.9", 65535),
            ("2620:fe::fe", "2620:fe::fe", 53), ("[2620:fe::fe]", "2620:fe::fe", 53),
            ("[2620:fe::fe]:1", "2620:fe::fe", 1), ("::ffff:9.9.9.9", "::ffff:9.9.9.9", 53),
            ("dns.example", "dns.example", 53), ("dns.example:853", "dns.example", 853),
        ] as [(String, String, UInt16)])
    func dnsOverTCP(server: String, host: String, port: UInt16) {
        #expect(flawless("dns tcp \(server)")?.dns == .tcp(endpoint(host, port)))
        #expect(flawless(" dns\ttcp \t\(server) ", style: .proxychains)?.dns == .tcp(endpoint(host, port)))
    }

    /// The last of several DNS keywords counts, in any order.
    @Test func severalDNS() {
        #expect(flawless("dns tcp 9.9.9.9\ndns tor")?.dns == .tor)
        #expect(flawless("dns tor\nproxy_dns")?.dns == .fake)
        let afterDaemon = flawless("proxy_dns_daemon 127.0.0.1:1053\ndns tcp 9.9.9.9", style: .proxychains)
        #expect(afterDaemon?.dns == .tcp(endpoint("9.9.9.9", 53)))
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func udp(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.udp == .associate)
        #expect(flawless("udp associate", style: style)?.udp == .associate)
        #expect(flawless("udp block", style: style)?.udp == .block)
        #expect(flawless("udp direct", style: style)?.udp == .direct)
        #expect(flawless("udp block\nudp associate", style: style)?.udp == .associate)
    }

    /// Datagrams leave in fragments only if a size is given; a later line without one removes it.
    @Test func udpFragments() {
        #expect(flawless("")?.udpFragmentSize == nil)
        #expect(flawless("udp associate")?.udpFragmentSize == nil)
        #expect(flawless("udp associate fragment 256")?.udpFragmentSize == 256)
        #expect(flawless("udp\tassociate fragment\t65000", style: .proxychains)?.udpFragmentSize == 65_000)
        #expect(flawless("udp block\nudp associate fragment 1200")?.udp == .associate)
        #expect(flawless("udp associate fragment 1200\nudp associate")?.udpFragmentSize == nil)
        #expect(flawless("udp associate fragment 1200\nudp direct")?.udpFragmentSize == nil)
    }

    @Test(arguments: [
        ("off", LogLevel.off), ("error", .error), ("warn", .warning), ("info", .info), ("debug", .debug),
    ])
    func log(word: String, level: LogLevel) {
        #expect(flawless("log \(word)")?.logLevel == level)
        #expect(LogLevel(parsing: Array(word.utf8).span) == level)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func listeners(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.listeners == .direct)
        #expect(flawless("bind block", style: style)?.listeners == .block)
        #expect(flawless("bind block\nbind direct", style: style)?.listeners == .direct)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func otherProtocols(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.otherProtocols == nil)
        #expect(flawless("other_protocols block", style: style)?.otherProtocols == .block)
        #expect(flawless("other_protocols direct", style: style)?.otherProtocols == .direct)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func localAnswers(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.localAnswers == .refuse)
        #expect(flawless("local_answers accept", style: style)?.localAnswers == .accept)
        #expect(flawless("local_answers accept\nlocal_answers refuse", style: style)?.localAnswers == .refuse)
        #expect(flawless("", style: style)?.searchesDomains == false)
        #expect(flawless("search_domains on", style: style)?.searchesDomains == true)
        #expect(flawless("search_domains on\nsearch_domains off", style: style)?.searchesDomains == false)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func unreachable(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.unreachable == nil)
        #expect(flawless("unreachable nonet", style: style)?.unreachable == .withoutNetwork)
        #expect(flawless("unreachable block", style: style)?.unreachable == .block)
        #expect(flawless("unreachable nonet\nunreachable direct", style: style)?.unreachable == .direct)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func isolation(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.isolation == Isolation.none)
        #expect(flawless("isolate process", style: style)?.isolation == .process)
        #expect(flawless("isolate tree", style: style)?.isolation == .tree)
        #expect(flawless("isolate tree\nisolate none", style: style)?.isolation == Isolation.none)
    }

    @Test func deadTime() {
        #expect(flawless("")?.deadTime == 60)
        #expect(flawless("dead_time 0")?.deadTime == 0)
        #expect(flawless("dead_time 86400", style: .proxychains)?.deadTime == 86_400)
    }

    /// A later line without a file removes the file.
    @Test func logFile() {
        #expect(flawless("log info")?.logFile == nil)
        #expect(flawless("log info\t/var/log/a")?.logFile == Array("/var/log/a".utf8))
        #expect(flawless("log info /var/log/a\nlog error")?.logFile == nil)
    }

    @Test(arguments: ["", "OFF", "warning", "1", "off ", "debug\0"])
    func noLogLevel(word: String) {
        #expect(LogLevel(parsing: Array(word.utf8).span) == nil)
    }

    @Test(arguments: [
        ("loopback", "9: expected direct or proxy"),
        ("loopback Direct", "10: 'Direct' does not fit here; expected direct or proxy"),
        ("loopback direct now", "17: 'now' is not expected here; a comment needs a line of its own"),
        ("dns", "4: expected fake, tcp, tor or local"),
        ("dns real", "5: 'real' does not fit here; expected fake, tcp, tor or local"),
        ("dns fake # on", "10: '# on' is not expected here; a comment needs a line of its own"),
        ("dns tor 127.0.0.1", "9: '127.0.0.1' is not expected here; a comment needs a line of its own"),
        ("dns tcp", "8: expected \(server)"),
        ("dns tcp 9.9.9.9 # quad", "17: '# quad' is not expected here; a comment needs a line of its own"),
        ("dns tcp 9.9.9.9 53", "17: '53' is not expected here; a comment needs a line of its own"),
        ("dns tcp :53", "9: expected \(server)"),
        ("dns tcp 9.9.9.9:", "17: expected a port, 1 to 65535"),
        ("dns tcp 9.9.9.9:0", "17: '0' does not fit here; expected a port, 1 to 65535"),
        ("dns tcp 9.9.9.9:65536", "17: '65536' does not fit here; expected a port, 1 to 65535"),
        ("dns tcp [::1]:domain", "15: 'domain' does not fit here; expected a port, 1 to 65535"),
        (
            "dns tcp 9.9.9.999",
            "9: '9.9.9.999' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        ("dns tcp [::1", "9: '[::1' does not fit here; expected ']' and a port after the IPv6 address"),
        ("dns tcp [::1]53", "14: '53' does not fit here; expected ']' and a port after the IPv6 address"),
        ("dns tcp [dns.example]", "10: 'dns.example' does not fit here; expected an IPv4 or IPv6 address"),
        ("udp", "4: expected associate, block or direct"),
        ("udp proxy", "5: 'proxy' does not fit here; expected associate, block or direct"),
        ("udp block 443", "11: '443' is not expected here; a comment needs a line of its own"),
        ("udp block fragment 1200", "11: 'fragment 1200' is not expected here; a comment needs a line of its own"),
        ("udp associate fragments 9", "15: 'fragments 9' is not expected here; a comment needs a line of its own"),
        ("udp associate fragment", "23: expected bytes, 256 to 65000"),
        ("udp associate fragment 255", "24: '255' does not fit here; expected bytes, 256 to 65000"),
        ("udp associate fragment 65001", "24: '65001' does not fit here; expected bytes, 256 to 65000"),
        ("udp associate fragment 1k", "24: '1k' does not fit here; expected bytes, 256 to 65000"),
        ("udp associate fragment 1200 bytes", "29: 'bytes' is not expected here; a comment needs a line of its own"),
        ("udpassociate", "1: 'udpassociate' is not a keyword"),
        ("log", "4: expected off, error, warn, info or debug"),
        ("log loud", "5: 'loud' does not fit here; expected off, error, warn, info or debug"),
        ("log info log", "10: 'log' does not fit here; expected an absolute path"),
        ("log info /a /b", "13: '/b' is not expected here; a comment needs a line of its own"),
        ("bind", "5: expected direct or block"),
        ("bind proxy", "1: 'bind proxy' is not implemented in this version"),
        ("bind associate", "6: 'associate' does not fit here; expected direct or block"),
        ("other_protocols", "16: expected direct or block"),
        ("other_protocols proxy", "17: 'proxy' does not fit here; expected direct or block"),
        ("local_answers", "14: expected refuse or accept"),
        ("search_domains", "15: expected off or on"),
        ("search_domains yes", "16: 'yes' does not fit here; expected off or on"),
        ("local_answers block", "15: 'block' does not fit here; expected refuse or accept"),
        ("unreachable", "12: expected nonet, block or direct"),
        ("unreachable supervise", "13: 'supervise' does not fit here; expected nonet, block or direct"),
        ("unreachable block all", "19: 'all' is not expected here; a comment needs a line of its own"),
        ("isolate", "8: expected none, process or tree"),
        ("isolate trees", "9: 'trees' does not fit here; expected none, process or tree"),
        ("dead_time", "10: expected seconds, 0 to 86400"),
        ("dead_time 86401", "11: '86401' does not fit here; expected seconds, 0 to 86400"),
        ("dead_time -1", "11: '-1' does not fit here; expected seconds, 0 to 86400"),
        ("dead_time 5 s", "13: 's' is not expected here; a comment needs a line of its own"),
        ("dnsx fake", "1: 'dnsx' is not a keyword"), ("loopbackproxy", "1: 'loopbackproxy' is not a keyword"),
    ])
    func mistakes(text: String, error: String) {
        #expect(errors(text) == ["line 1, column \(error)"])
    }

    /// A part of the language that does not exist yet is an error in a file of proxychains, too: that file is meant for
    /// socksify.
    @Test(arguments: [
        "bind proxy", "[Rules]\nproxy command bind",
    ])
    func neverIgnored(text: String) {
        #expect(errors(text, style: .proxychains).count == 1)
    }

    /// A mistake in a keyword that proxychains does not have is an error in its files, too.
    @Test(arguments: ["udp blok", "dns tcp", "udp associate fragment 1", "isolate all", "[Rules]\nallow", "[App]"])
    func mistakesInProxychains(text: String) {
        #expect(errors(text, style: .proxychains).count == 1)
    }

    /// Sections may follow the list of proxies, and the list may continue after them.
    @Test func sections() {
        let text =
            "[ProxyList]\nsocks5 ::1 1\n[Rules]\nblock port 25\n[Ruls]\nfoo\n[ProxyList]\nsocks5 ::1\n[Rules]\nblock"
        #expect(
            errors(text) == [
                "line 5, column 1: '[Ruls]' is not a section; expected [ProxyList], [Proxies NAME], [Rules] or "
                    + "[App PATTERN]",
                "line 7, column 1: there is already a [ProxyList] above; put all proxies into it",
                "line 8, column 11: expected a port, 1 to 65535",
                "line 9, column 1: there is '[Rules]' above; put all its lines into it",
            ])
    }
}
