import Addressing
import ProxyConfig
import SeededGenerator
import Testing

@Suite struct HostileTextTests {
    private func survives(_ bytes: [UInt8]) {
        for style in [ConfigurationStyle.socksify, .proxychains] {
            let parsed = Configuration.parse(bytes.span, style: style, program: ProgramIdentity(executable: [97]))
            render(parsed)
            decide(parsed.configuration)
            for proxy in parsed.configuration.proxies {
                if case .network(let endpoint) = proxy.location { #expect(endpoint.port > 0) }
                #expect((proxy.credentials?.user.count ?? 1) <= 255)
            }
            #expect(parsed.configuration.chainLength >= 1)
            #expect(parsed.configuration.readTimeout >= 1)
            #expect(parsed.configuration.connectTimeout >= 0)
            #expect((256...65_000).contains(parsed.configuration.udpFragmentSize ?? 256))
        }
        render(Configuration.parse(proxyURLs: bytes.span))
        _ = LogLevel(parsing: bytes.span)
    }

    /// No text that can be read makes a decision trap.
    private func decide(_ configuration: Configuration) {
        let name: [UInt8] = Array("b.a".utf8)
        _ = configuration.route(to: .v4(IPv4Address(1, 2, 3, 4)), port: 1, name: name.span)
        _ = configuration.routeDatagram(to: .v6(IPv6Address(high: 0, low: 1)), port: 1, name: Span())
        _ = configuration.route(toName: name.span, port: 1, command: .udp)
        _ = configuration.lookup(of: name.span, port: nil, transport: nil)
        _ = configuration.routeListener(at: .v4(IPv4Address(0)), port: 1)
        _ = configuration.blocksOtherProtocols
    }

    private func render(_ parsed: ParsedConfiguration) {
        for error in parsed.errors + parsed.warnings + parsed.obstacles {
            let text = error.description
            #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
            #expect(text.utf8.count < 400)
        }
    }

    /// Every byte, alone and in place of each character of a file with the whole language.
    @Test func everyByteEverywhere() {
        let text = Array(
            """
            localnet [fd00::]:80/8
            dnat 1.1.1.1:1 2.2.2.2:2
            chain_len = 2
            tcp_read_time_out -15
            proxy_dns_daemon 127.0.0.1:1053
            dns fake
            dns tcp [::1]:53
            udp associate fragment 1200
            log info /a
            [ProxyList]
            socks5 10.0.0.1 1080 alice pw
            socks5://a%41:b@[::1]:1080
            socks5+unix://a:b@/c
            list a
            [Proxies a]
            random_chain
            http://a@b:1?password-env=C
            [Rules]
            proxy a host .a,b*,c net ::1/8,1.2.3.4 port 1-2,3 proto tcp command udp
            [App a /b/*]
            block unreachable command bind
            """.utf8)
        for byte in UInt8.min...UInt8.max { survives([byte]) }
        for index in text.indices {
            for byte: UInt8 in [0, 9, 10, 13, 32, 35, 37, 47, 48, 57, 58, 61, 64, 91, 93, 127, 128, 255] {
                var changed = text
                changed[index] = byte
                survives(changed)
            }
        }
    }

    /// A text may end anywhere.
    @Test func everyPrefix() {
        let text = Array(
            """
            localnet [fd00::]:80/8
            dnat 1.1.1.1:1 2.2.2.2:2
            chain_len = 2
            log info
            dns tcp dns.example:53
            udp associate fragment 1200
            [ProxyList]
            socks5 10.0.0.1 1080 alice pw
            socks5://a%41:b@[::1]:1080/
            list a
            [Proxies a]
            list a
            socks4+unix:///c?d
            [Rules]
            proxy a host .a,b*,c net ::1/8,1.2.3.4 port 1-2,3 proto tcp command udp
            [App a /b/*]
            block refused port 5
            """.utf8)
        for length in 0...text.count { survives(Array(text[..<length])) }
        for start in 0..<text.count { survives(Array(text[start...])) }
    }

    /// Fragments of the language in any order, and bytes of every kind.
    @Test func generatedText() {
        var generator = SplitMix(state: 0x5eed)
        let fragments = [
            "localnet", "dnat", "chain_len", "=", "[", "]", "[ProxyList]", "[Rules]", "\n", " ", "\t", ":",
            "/", "@",
            "%", "%4", "%41", "socks5", "socks5://", "http://", "://", ",", "1.2.3.4", "::1", "fd00::",
            "255.0.0.0",
            "0", "1", "65535", "65536", "99999999999999999999", "-", "#", "proxy_dns_daemon",
            "tcp_read_time_out",
            "remote_dns_subnet", "dns", "tcp", "udp", "associate", "fragment", "log", "loopback", "\0", "\u{ff}",
            "alice", ".", "..", "[::1]", "[Proxies a]", "[App a]", "list", "direct", "block", "proxy", "host", "net",
            "port", "-",
            "command", "bind", "proto", "?password-file=", "+unix", "random_chain", "a", "*",
            "\r\n",
        ].map { Array($0.utf8) }
        for _ in 0..<20_000 {
            var bytes: [UInt8] = generator.next() % 2 == 0 ? Array("[ProxyList]\n".utf8) : []
            for _ in 0..<(generator.next() % 12) {
                if generator.next() % 16 == 0 {
                    bytes.append(UInt8(truncatingIfNeeded: generator.next()))
                } else {
                    bytes += fragments[Int(generator.next() % UInt64(fragments.count))]
                }
            }
            survives(bytes)
        }
        for _ in 0..<2_000 {
            survives((0..<(generator.next() % 64)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
        }
    }

    @Test func hugeTexts() {
        survives(Array(repeating: UInt8(ascii: "["), count: 300_000))
        survives(Array(repeating: UInt8(ascii: "\n"), count: 300_000))
        survives(Array("[ProxyList]\nsocks5 ".utf8) + Array(repeating: UInt8(ascii: "9"), count: 300_000))
        survives(
            Array("[ProxyList]\nsocks5://".utf8) + Array(repeating: UInt8(ascii: "%"), count: 300_000) + [
                64, 65,
            ])
    }
}
