import ProxyConfig
import SeededGenerator
import Testing

private func text(_ parsed: ParsedConfiguration, source: String? = nil, hidesPasswords: Bool = false) -> String {
    var bytes: [UInt8] = []
    ConfigurationText(parsed, source: source.map { Array($0.utf8) }, hidesPasswords: hidesPasswords).write(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
}

@Suite struct ConfigurationTextTests {
    /// The whole language as it takes effect, with the source of each setting.
    @Test func wholeText() {
        let parsed = Configuration.parse(
            """
            proxy_dns_daemon 127.0.0.1:53
            localnet 10.0.0.0:80/8
            localnet [fd00::]:80/8
            dnat 1.1.1.1 2.2.2.2:80
            [Proxies tor]
            random_chain
            socks5+unix://alice@/run/a%20b
            socks5 10.0.0.1 9050 bob s3cret
            [App curl]
            udp associate fragment 1200
            block unreachable port 1-2,3 host .a,b,*.c
            [App wget]
            udp block
            [ProxyList]
            list tor
            http 10.0.0.2 3128
            [Rules]
            proxy tor net 10.0.0.0/8,::1 proto tcp command connect
            """,
            program: ProgramIdentity(executable: Array("curl".utf8)))
        #expect(parsed.errors.isEmpty)
        #expect(
            text(parsed, source: "a.conf", hidesPasswords: true) == """
                strict_chain
                # a.conf:1
                dns fake
                loopback direct
                # a.conf:10
                udp associate fragment 1200
                bind direct
                isolate none
                tcp_connect_time_out 0
                tcp_read_time_out 120000
                dead_time 60
                log error
                # a.conf:2
                localnet 10.0.0.0:80/255.0.0.0
                # a.conf:3
                localnet [fd00::]:80/8
                # a.conf:4
                dnat 1.1.1.1 2.2.2.2:80

                # a.conf:5
                [Proxies tor]
                # a.conf:6
                random_chain
                # a.conf:7
                socks5+unix://alice@/run/a%20b?password-env=SOCKSIFY_PASSWORD
                # a.conf:8
                socks5://bob:***@10.0.0.1:9050

                # a.conf:14
                [ProxyList]
                # a.conf:15
                list tor
                # a.conf:16
                http://10.0.0.2:3128

                [Rules]
                # a.conf:11
                block unreachable host .a,b,*.c port 1-2,3
                # a.conf:18
                proxy tor net 10.0.0.0/8,::1 proto tcp command connect

                """)
    }

    /// The written text has the same meaning when it is read again, whatever its source was.
    @Test(arguments: [21, 22, 23, 24] as [UInt64])
    func meansTheSame(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var count = 0
        for _ in 0..<300 {
            let style: ConfigurationStyle = generator.next() % 3 == 0 ? .proxychains : .socksify
            let program = ProgramIdentity(executable: Array("curl".utf8))
            let parsed = Configuration.parse(generator.file(style), style: style, program: program)
            guard parsed.errors.isEmpty else { continue }
            count += 1
            let written = text(parsed, source: generator.next() % 2 == 0 ? "a.conf" : nil)
            let again = Configuration.parse(written)
            #expect(again.errors.isEmpty, "\(again.errors) \(written)")
            #expect(again.configuration == parsed.configuration, "\(written)")
            #expect(!text(parsed, hidesPasswords: true).contains("s3cret"))
        }
        #expect(count > 100)
    }

    /// The default chain keeps its place among the lists, so proxies keep their numbers.
    @Test(arguments: [
        "[ProxyList]\nsocks5 ::1 1\n[Proxies a]\nsocks5 ::1 2", "[Proxies a]\nsocks5 ::1 2\n[ProxyList]\nsocks5 ::1 1",
        "[Proxies a]\nlist b\n[ProxyList]\nlist a\n[Proxies b]\nsocks5 ::1 1",
        "[Proxies a]\nsocks5 ::1 1\n[ProxyList]\nsocks5 ::1 2\n[Proxies b]\nlist a\nsocks5 ::1 3", "",
    ])
    func orderOfLists(file: String) {
        let parsed = Configuration.parse(file)
        #expect(Configuration.parse(text(parsed)).configuration == parsed.configuration)
    }

    @Test func replacedProxies() {
        var parsed = Configuration.parse("[Proxies a]\nsocks5 ::1 2\n[Rules]\nproxy a port 1\n[ProxyList]\nhttp ::1 1")
        parsed.replaceProxies(with: Configuration.parse(proxyURLs: "10.0.0.1,10.0.0.2"))
        #expect(Configuration.parse(text(parsed)).configuration == parsed.configuration)
    }
}

extension SplitMix {
    private mutating func some(_ lines: [String], most: UInt64) -> String {
        (0..<(next() % (most + 1))).map { _ in lines[Int(next() % UInt64(lines.count))] + "\n" }.joined()
    }

    /// A file with a part of everything.
    fileprivate mutating func file(_ style: ConfigurationStyle) -> String {
        let keywords = [
            "strict_chain", "dynamic_chain", "random_chain", "round_robin_chain", "chain_len = 3", "proxy_dns",
            "quiet_mode", "tcp_read_time_out 5", "tcp_connect_time_out 6", "remote_dns_subnet 127",
            "localnet 10.0.0.0/8", "localnet 10.0.0.0:80/255.0.255.0", "localnet ::/0", "localnet [fd00::1]:1/64",
            "dnat 1.1.1.1 2.2.2.2", "dnat 1.1.1.1:1 2.2.2.2:2", "loopback direct", "loopback proxy", "dns fake",
            "dns tor", "dns local", "dns tcp [::1]:54", "dns tcp dns.example", "udp block", "udp direct",
            "udp associate fragment 300", "bind block", "bind direct", "other_protocols block",
            "other_protocols direct", "unreachable nonet", "unreachable block", "unreachable direct", "isolate tree",
            "isolate process", "dead_time 9", "log debug /var/log/a", "log off",
            "local_answers accept", "local_answers refuse", "search_domains on", "search_domains off",
        ]
        let proxies = [
            "socks5 10.0.0.1 1", "socks5 gw.example 2 alice s3cret", "socks4 ::1 3 bob", "http 10.0.0.2 4 a s3cret",
            "raw 10.0.0.3 5", "socks5+unix:///a@b", "http://a:s3cret@[::1]:6", "list a", "list b",
            style == .socksify ? "socks5://alice@h?password-file=/x%20y" : "socks5h 10.0.0.4 7",
        ]
        let rules = [
            "direct", "block", "block unreachable host a", "proxy a port 1", "proxy b net ::/1,1.2.3.4 proto udp",
            "proxy host .x,*y?,z proto tcp,udp", "direct port 1-65535,7 command connect,udp",
            "block command bind port 1",
        ]
        var sections = [
            "[ProxyList]\n" + some(proxies, most: 5),
            "[Proxies a]\nsocks5 ::1 9\n" + some(Array(proxies.prefix(5)), most: 3),
            "[Proxies b]\nsocks5 ::1 8\n" + some(["dynamic_chain", "random_chain", "chain_len = 2"], most: 2),
            "[Rules]\n" + some(rules, most: 5), "[App curl]\n" + some(rules + keywords, most: 5),
            "[App wget]\n" + some(rules + keywords, most: 5),
        ]
        sections.shuffle(using: &self)
        return some(keywords, most: 9) + sections.joined()
    }
}
