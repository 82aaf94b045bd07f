import Addressing
import ProxyConfig
import Testing

/// `count` proxies.
private func proxyLines(_ count: Int) -> String { String(repeating: "socks5 10.0.0.1 1080\n", count: count) }

/// `[Rules]` that use lists, so that no list is unused.
private func rules(for names: [String]) -> String {
    "[Rules]\n" + names.enumerated().map { "proxy \($1) port \($0 + 1)\n" }.joined()
}

private func named(
    _ name: String, _ hops: [ProxyList.Hop], mode: ChainMode = .strict, length: Int = 1
) -> ProxyList {
    ProxyList(name: Array(name.utf8), mode: mode, length: length, hops: hops)
}

@Suite struct ProxyListGrammarTests {
    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func lists(style: ConfigurationStyle) {
        let configuration = flawless(
            """
            random_chain
            chain_len = 2
            [Rules]
            proxy corp port 1
            proxy Tor_1.x-y port 2
            [Proxies corp]
            dynamic_chain
            http 10.0.0.1 3128
            list Tor_1.x-y
            [ProxyList]
            socks5 10.0.0.2 1080
            list corp
            [Proxies Tor_1.x-y]
            socks5 10.0.0.3 9050
            chain_len = 3
            round_robin_chain
            socks4 10.0.0.4 1
            """, style: style)
        #expect(
            configuration?.lists == [
                named("", [.proxy(1), .list(1)], mode: .random, length: 2),
                named("corp", [.proxy(0), .list(2)], mode: .dynamic),
                named("Tor_1.x-y", [.proxy(2), .proxy(3)], mode: .roundRobin, length: 3),
            ])
        #expect(configuration?.proxies.map(\.type) == [.http, .socks5, .socks5, .socks4])
        #expect(configuration?.rules.map(\.action) == [.proxy(list: 1), .proxy(list: 2)])
    }

    /// proxychains silently skips the word.
    @Test func failover() {
        let text = "failover_chain\nchain_len = 1\n[ProxyList]\nsocks5 ::1 1\nsocks5 ::1 2"
        #expect(flawless(text)?.chainMode == .failover)
        #expect(
            errors("failover_chain # on") == [
                "line 1, column 1: 'failover_chain' must stand alone on its line; a comment needs a line of its own"
            ])
        #expect(Configuration.parse(text, style: .proxychains).configuration.chainMode == .dynamic)
        #expect(warnings(text) == ["line 1, column 1: 'failover_chain' is not a keyword"])
    }

    @Test(arguments: [
        ("[Proxies]", "1, column 9: expected the name of a list"),
        ("[Proxies ]", "1, column 9: expected the name of a list"),
        ("[Proxies a b]", "1, column 10: 'a b' does not fit here"), ("[Proxies a/b]", "1, column 10: 'a/b'"),
        ("[proxies a]", "1, column 1: '[proxies a]' is not a section"),
        ("[Proxies a", "1, column 1: '[Proxies a' is no"),
        (
            "[Proxies a]\nsocks5 ::1 1\n[ProxyList]\nlist a\n[Proxies a]",
            "5, column 1: there is '[Proxies a]' above; put all its lines into it"
        ),
        ("[ProxyList]\nlist a", "2, column 6: there is no [Proxies a] in this file"),
        ("[ProxyList]\nlist", "2, column 5: expected the name of a list"),
        ("[ProxyList]\nlist a b", "2, column 8: 'b' is not expected here"),
        ("[ProxyList]\nsocks5 ::1 1\ndynamic_chain", "3, column 1: 'dynamic_chain' belongs above [ProxyList]"),
        ("[Proxies a]\nproxy_dns", "2, column 1: 'proxy_dns' belongs above all sections, or into [App PATTERN]"),
        ("[Proxies a]\nchain_len 2", "2, column 12: expected an equals sign"),
        ("[ProxyList]\nlist a\n[Proxies a]", "3, column 1: there is no proxy in 'a'"),
        ("[ProxyList]\nlist a\n[Proxies a]\nlist a", "4, column 1: 'a' leads back to this list"),
        (
            "[ProxyList]\nlist a\n[Proxies a]\nlist b\n[Proxies b]\nsocks5 ::1 1\nlist a",
            "7, column 1: 'a' leads back to this list"
        ),
    ])
    func mistakes(text: String, error: String) {
        for style in [ConfigurationStyle.socksify, .proxychains] {
            let found = Configuration.parse(text, style: style)
            let all = found.errors + (style == .proxychains ? found.warnings : [])
            #expect(all.contains { $0.description.hasPrefix("line " + error) }, "\(all)")
            if style == .socksify { #expect(found.errors.count == 1) }
        }
    }

    @Test func unusedLists() {
        let text = "[Proxies a]\nsocks5 ::1 1\n[Proxies b]\nlist a\n[Proxies c]\nsocks5 ::1 2\n[App x]\nproxy c"
        #expect(warnings(text) == ["line 3, column 1: no rule or list uses 'b'"])
    }

    // MARK: Limits

    @Test func mostLists() {
        let names = (1...64).map { "l\($0)" }
        let sections = names.map { "[Proxies \($0)]\nsocks5 ::1 1\n" }.joined()
        #expect(flawless(rules(for: names) + sections)?.lists.count == 65)
        #expect(
            errors(rules(for: names) + sections + "[Proxies more]\nsocks5 ::1 1") == [
                "line 194, column 1: expected at most 64 lists with a name"
            ])
    }

    @Test func mostProxies() {
        let names = (1...16).map { "l\($0)" }
        let text = rules(for: names) + names.map { "[Proxies \($0)]\n\(proxyLines(32))" }.joined()
        #expect(flawless(text)?.proxies.count == 512)
        #expect(
            errors(text + "[ProxyList]\n" + proxyLines(2)) == [
                "line 547, column 1: expected at most 512 proxies in all lists together"
            ])
    }

    /// All proxies of all lists of a chain count, as many as their modes take.
    @Test(arguments: [
        ("", 32, true), ("", 33, false), ("dynamic_chain\n", 32, true), ("dynamic_chain\n", 33, false),
        ("random_chain\nchain_len = 32\n", 40, true), ("random_chain\nchain_len = 33\n", 40, false),
        ("round_robin_chain\nchain_len = 32\n", 40, true), ("round_robin_chain\nchain_len = 33\n", 40, false),
    ])
    func longestChain(globals: String, count: Int, fits: Bool) {
        let expected = fits ? [] : ["a chain of this list would have 33 proxies; expected at most 32"]
        let found = errors(globals + "[ProxyList]\n" + proxyLines(count))
        #expect(found.map { String($0.split(separator: ": ", maxSplits: 1)[1]) } == expected)
    }

    @Test func longestChainOfLists() {
        let list = "[Proxies a]\n\(proxyLines(10))[Proxies b]\n\(proxyLines(21))"
        #expect(flawless("[ProxyList]\nlist a\nlist b\nsocks5 ::1 1\n" + list) != nil)
        #expect(
            errors("[ProxyList]\nlist a\nlist b\n\(proxyLines(2))\(list)") == [
                "line 1, column 1: a chain of this list would have 33 proxies; expected at most 32"
            ])
        // A random chain may draw the longest list.
        let random = "random_chain\nchain_len = 2\n[ProxyList]\nsocks5 ::1 1\nlist a\nlist b\n"
        #expect(flawless(random + list) != nil)
        #expect(
            errors(random + list + proxyLines(2)) == [
                "line 3, column 1: a chain of this list would have 33 proxies; expected at most 32"
            ])
        #expect(Configuration.parse(proxyURLs: Array(repeating: "a", count: 32).joined(separator: ",")).errors.isEmpty)
        #expect(
            Configuration.parse(proxyURLs: Array(repeating: "a", count: 33).joined(separator: ",")).errors.count == 1)
    }

    @Test func deepestNesting() {
        func nested(_ depth: Int) -> String {
            "[ProxyList]\nlist l2\n"
                + (2..<depth).map { "[Proxies l\($0)]\nlist l\($0 + 1)\n" }.joined()
                + "[Proxies l\(depth)]\nsocks5 ::1 1\n"
        }
        #expect(flawless(nested(8)) != nil)
        #expect(errors(nested(9)) == ["line 2, column 1: expected at most 8 lists within each other"])
    }

    /// Lists that name each other many times are counted without expanding them.
    @Test func manyReferences() {
        let text =
            "[ProxyList]\n" + String(repeating: "list l2\n", count: 300)
            + (2..<8).map { "[Proxies l\($0)]\n" + String(repeating: "list l\($0 + 1)\n", count: 300) }.joined()
            + "[Proxies l8]\nsocks5 ::1 1\n"
        #expect(errors(text).count == 7)
    }

    // MARK: Unix-domain sockets

    /// Only this machine can connect to them, so no other proxy may precede them.
    @Test(arguments: [
        ("[ProxyList]\nsocks5+unix:///a\nsocks5 ::1 1", [Int]()),
        ("[ProxyList]\nsocks5 ::1 1\nsocks5+unix:///a", [3]),
        ("dynamic_chain\n[ProxyList]\nsocks5 ::1 1\nsocks5+unix:///a", [4]),
        ("random_chain\n[ProxyList]\nsocks5 ::1 1\nsocks5+unix:///a", []),
        ("random_chain\nchain_len = 2\n[ProxyList]\nsocks5 ::1 1\nsocks5+unix:///a", [5]),
        ("round_robin_chain\nchain_len = 2\n[ProxyList]\nsocks5+unix:///a\nsocks5 ::1 1", [4]),
        ("[ProxyList]\nlist a\nsocks5 ::1 1\n[Proxies a]\nsocks5+unix:///a", []),
        ("[ProxyList]\nsocks5 ::1 1\nlist a\n[Proxies a]\nsocks5+unix:///a", [3]),
        (
            "[ProxyList]\nsocks5 ::1 1\nlist a\n[Proxies a]\nlist b\n[Proxies b]\nrandom_chain\nsocks5 ::1 1\n"
                + "http+unix:///a", [3]
        ),
    ])
    func unixSockets(text: String, lines: [Int]) {
        let parsed = Configuration.parse(text)
        #expect(parsed.errors.map(\.kind) == lines.map { _ in .unixSocketBehindHop })
        #expect(parsed.errors.map(\.position.line) == lines)
    }

    /// URLs replace the default chain, and leave the other lists unchanged.
    @Test func replacesDefaultChainOnly() {
        var parsed = Configuration.parse(
            "[Proxies a]\nhttp 1.1.1.1 8080\n[ProxyList]\nsocks5 2.2.2.2 1\nlist a\n[Rules]\nproxy a port 80")
        parsed.replaceProxies(with: Configuration.parse(proxyURLs: "10.0.0.1,10.0.0.2"))
        let configuration = parsed.configuration
        #expect(
            configuration.proxies == [
                proxy(.socks5, "10.0.0.1", 1080), proxy(.socks5, "10.0.0.2", 1080), proxy(.http, "1.1.1.1", 8080),
            ])
        #expect(configuration.lists == [named("", [.proxy(0), .proxy(1)]), named("a", [.proxy(2)])])
        #expect(configuration.rules.map(\.action) == [.proxy(list: 1)])
        #expect(parsed.position(ofHop: 0, inList: 0)?.line == 0)
        #expect(parsed.position(ofHop: 0, inList: 1)?.line == 2)
    }
}
