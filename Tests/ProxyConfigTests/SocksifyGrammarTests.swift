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

    /// A server for names has an address or a name of its own, and port 53 unless told.
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

    /// The last of several DNS keywords counts, whichever of them.
    @Test func severalDNS() {
        #expect(flawless("dns tcp 9.9.9.9\ndns tor")?.dns == .tor)
        #expect(flawless("dns tor\nproxy_dns")?.dns == .fake)
        let afterDaemon = flawless("proxy_dns_daemon 127.0.0.1:1053\ndns tcp 9.9.9.9")
        #expect(afterDaemon?.dns == .tcp(endpoint("9.9.9.9", 53)))
        #expect(afterDaemon?.dnsDaemon == nil)
        #expect(flawless("proxy_dns_daemon 127.0.0.1:1053\ndns tor")?.dnsDaemon == nil)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func udp(style: ConfigurationStyle) {
        #expect(flawless("", style: style)?.udp == .associate)
        #expect(flawless("udp associate", style: style)?.udp == .associate)
        #expect(flawless("udp block", style: style)?.udp == .block)
        #expect(flawless("udp direct", style: style)?.udp == .direct)
        #expect(flawless("udp block\nudp associate", style: style)?.udp == .associate)
    }

    /// Datagrams go out in fragments only where a size is given; a line without one takes it back.
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

    @Test(arguments: ["", "OFF", "warning", "1", "off ", "debug\0"])
    func noLogLevel(word: String) {
        #expect(LogLevel(parsing: Array(word.utf8).span) == nil)
    }

    @Test(arguments: [
        ("loopback", "9: expected direct or proxy"),
        ("loopback Direct", "10: 'Direct' does not fit here; expected direct or proxy"),
        ("loopback direct now", "17: 'now' is too much here; a comment needs a line of its own"),
        ("dns", "4: expected fake, tcp, tor or local"),
        ("dns real", "5: 'real' does not fit here; expected fake, tcp, tor or local"),
        ("dns fake # on", "10: '# on' is too much here; a comment needs a line of its own"),
        ("dns tor 127.0.0.1", "9: '127.0.0.1' is too much here; a comment needs a line of its own"),
        ("dns tcp", "8: expected \(server)"),
        ("dns tcp 9.9.9.9 # quad", "17: '# quad' is too much here; a comment needs a line of its own"),
        ("dns tcp 9.9.9.9 53", "17: '53' is too much here; a comment needs a line of its own"),
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
        ("udp block 443", "11: '443' is too much here; a comment needs a line of its own"),
        ("udp block fragment 1200", "11: 'fragment 1200' is too much here; a comment needs a line of its own"),
        ("udp associate fragments 9", "15: 'fragments 9' is too much here; a comment needs a line of its own"),
        ("udp associate fragment", "23: expected bytes, 256 to 65000"),
        ("udp associate fragment 255", "24: '255' does not fit here; expected bytes, 256 to 65000"),
        ("udp associate fragment 65001", "24: '65001' does not fit here; expected bytes, 256 to 65000"),
        ("udp associate fragment 1k", "24: '1k' does not fit here; expected bytes, 256 to 65000"),
        ("udp associate fragment 1200 bytes", "29: 'bytes' is too much here; a comment needs a line of its own"),
        ("udpassociate", "1: 'udpassociate' is no keyword"),
        ("log", "4: expected off, error, warn, info or debug"),
        ("log loud", "5: 'loud' does not fit here; expected off, error, warn, info or debug"),
        ("log info /tmp/log", "1: 'log info /tmp/log' is not implemented in this version"),
        ("bind direct", "1: 'bind' is not implemented in this version"),
        ("isolate tree", "1: 'isolate' is not implemented in this version"),
        ("[Rules]\ndirect net 10.0.0.0/8", "1: '[Rules]' is not implemented in this version"),
        ("[Proxies tor]\nsocks5 ::1 9050", "1: '[Proxies tor]' is not implemented in this version"),
        ("[App curl wget]\nstrict_chain", "1: '[App curl wget]' is not implemented in this version"),
        ("dnsx fake", "1: 'dnsx' is no keyword"), ("loopbackproxy", "1: 'loopbackproxy' is no keyword"),
    ])
    func mistakes(text: String, error: String) {
        #expect(errors(text) == ["line 1, column \(error)"])
    }

    /// A part of the language that is not there yet is an error in a file of proxychains as well: that file
    /// is meant for socksify.
    @Test(arguments: [
        "bind proxy", "isolate tree", "[Rules]", "[App x]", "[Proxies x]",
    ])
    func neverIgnored(text: String) {
        #expect(errors(text, style: .proxychains).count == 1)
    }

    /// A mistake in what proxychains does not know is an error in its files, too.
    @Test(arguments: ["udp blok", "dns tcp", "udp associate fragment 1"])
    func mistakesInProxychains(text: String) {
        #expect(errors(text, style: .proxychains).count == 1)
    }

    /// Sections after the list of proxies are found, too, and the list goes on after them.
    @Test func sections() {
        let text =
            "[ProxyList]\nsocks5 ::1 1\n[Rules]\nblock port 25\n[Ruls]\nfoo\n[ProxyList]\nsocks5 ::1 2\n[ProxyList]"
        #expect(
            errors(text) == [
                "line 3, column 1: '[Rules]' is not implemented in this version",
                "line 5, column 1: '[Ruls]' is no section; expected [ProxyList]",
                "line 9, column 1: there is a [ProxyList] above; all proxies belong into one",
            ])
    }
}
