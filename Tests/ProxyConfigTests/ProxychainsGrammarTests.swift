import Addressing
import ProxyConfig
import Testing

@Suite struct ProxychainsGrammarTests {
    /// White space at both ends, empty lines, comment lines, and every line end that isspace(3) knows.
    @Test func lines() {
        let text =
            "\r\n \t# strict_chain\n#\n\t\u{b}\u{c} random_chain \t\r\n   \n[ProxyList]\r\n socks5\t::1 \t 1080\r\n"
        let configuration = flawless(text)
        #expect(configuration?.chainMode == .random)
        #expect(configuration?.proxies == [proxy(.socks5, "::1", 1080)])
    }

    /// The last of several chain modes counts.
    @Test(arguments: [
        ("strict_chain", ChainMode.strict), ("dynamic_chain", .dynamic), ("random_chain", .random),
        ("round_robin_chain", .roundRobin), ("random_chain\nstrict_chain", .strict),
        ("strict_chain\ndynamic_chain", .dynamic),
    ])
    func chainModes(text: String, mode: ChainMode) {
        #expect(flawless(text)?.chainMode == mode)
        #expect(flawless(text, style: .proxychains)?.chainMode == mode)
    }

    /// A keyword that takes no value is another word when anything follows it.
    @Test(arguments: [
        "strict_chain", "dynamic_chain", "random_chain", "round_robin_chain", "proxy_dns", "proxy_dns_old",
        "quiet_mode",
    ])
    func keywordsAlone(keyword: String) {
        let sentence =
            "line 1, column 2: '\(keyword)' must stand alone on its line; a comment needs a line of its own"
        #expect(errors(" \(keyword) # on") == [sentence])
        #expect(errors(" \(keyword) # on", style: .proxychains) == [])
        #expect(warnings(" \(keyword) # on") == [sentence])
        #expect(
            Configuration.parse("\(keyword) 1", style: .proxychains).configuration
                == Configuration(defaultsOf: .proxychains))
        #expect(errors("\(keyword)s") == ["line 1, column 1: '\(keyword)s' is not a keyword"])
        let capital = keyword.uppercased()
        #expect(errors(capital) == ["line 1, column 1: '\(capital)' is not a keyword"])
    }

    /// The last of several DNS keywords counts; a file of proxychains without one means the machine's resolver.
    @Test(arguments: [
        ("", DNSMode.local), ("proxy_dns", .fake), ("proxy_dns_old", .fake), ("proxy_dns\ndns local", .local),
        ("proxy_dns_daemon 127.0.0.1:1053", .fake),
    ])
    func dns(text: String, mode: DNSMode) {
        #expect(flawless(text, style: .proxychains)?.dns == mode)
    }

    /// The library does the daemon's work itself; a file of another style gets an error.
    @Test func dnsDaemon() {
        let parsed = Configuration.parse("dns local\nproxy_dns_daemon\t127.0.0.1:1053")
        #expect(parsed.configuration.dns == .fake)
        #expect(parsed.errors.isEmpty)
        #expect(
            parsed.warnings.map(\.description) == [
                "line 2, column 1: 'proxy_dns_daemon' means the same as 'proxy_dns' here; no daemon is used"
            ])
    }

    /// Quiet as in proxychains: the log has no line about a connection that succeeds.
    @Test func quietMode() {
        #expect(flawless("log debug\nquiet_mode")?.logLevel == .error)
        #expect(flawless("quiet_mode", style: .proxychains)?.logLevel == .error)
    }

    @Test(arguments: [
        ("tcp_read_time_out 15000", 15000), ("tcp_read_time_out\t1", 1),
        ("tcp_read_time_out 2147483647", 2_147_483_647),
        ("tcp_read_time_outs 7", 7),
    ])
    func readTimeouts(text: String, milliseconds: Int) {
        #expect(flawless(text)?.readTimeout == milliseconds)
        #expect(flawless(text, style: .proxychains)?.readTimeout == milliseconds)
    }

    @Test(arguments: [("tcp_connect_time_out 8000", 8000), ("tcp_connect_time_out 0", 0)])
    func connectTimeouts(text: String, milliseconds: Int) {
        #expect(flawless(text)?.connectTimeout == milliseconds)
    }

    /// A negative time means no limit to proxychains.
    @Test func negativeTimeouts() {
        #expect(flawless("tcp_read_time_out -1", style: .proxychains)?.readTimeout == Int(Int32.max))
        #expect(flawless("tcp_connect_time_out -1", style: .proxychains)?.connectTimeout == 0)
        #expect(
            errors("tcp_connect_time_out -1") == [
                "line 1, column 22: '-1' does not fit here; expected milliseconds, 0 to 2147483647"
            ])
    }

    @Test(arguments: [
        ("remote_dns_subnet 10", UInt8(10)), ("remote_dns_subnet 0", 0), ("remote_dns_subnet 255", 255),
    ])
    func fakeNetworks(text: String, octet: UInt8) {
        #expect(flawless(text)?.fakeNetwork == IPNetwork(IPv4Address(octet, 0, 0, 0), prefixLength: 8))
    }

    @Test(arguments: [
        ("chain_len = 2", 2), ("chain_len=3", 3), ("chain_len =4", 4), ("chain_len = 0", 1),
        ("chain_length = 5", 5),
    ])
    func chainLengths(text: String, length: Int) {
        #expect(flawless(text)?.chainLength == length)
    }

    @Test(arguments: [
        ("localnet 10.0.0.0/8", "10.0.0.0", UInt32(0xff00_0000), UInt16?.none),
        ("localnet 10.0.0.0/255.0.255.0", "10.0.0.0", 0xff00_ff00, nil),
        ("localnet 192.168.1.0:80/255.255.255.0", "192.168.1.0", 0xffff_ff00, 80),
        ("localnet 192.168.1.0:0/24", "192.168.1.0", 0xffff_ff00, nil),
        ("localnet 0.0.0.0:80/0.0.0.0", "0.0.0.0", 0, 80), ("localnet 0.0.0.0/0", "0.0.0.0", 0, nil),
        ("localnet\t1.2.3.4/32", "1.2.3.4", 0xffff_ffff, nil),
        ("localnetwork 1.2.3.4/32", "1.2.3.4", 0xffff_ffff, nil),
    ])
    func localNetworksV4(text: String, network: String, mask: UInt32, port: UInt16?) {
        let expected = [LocalNetwork(network: .v4(address: address(network), mask: mask), port: port)]
        #expect(flawless(text)?.localNetworks == expected)
        #expect(flawless(text, style: .proxychains)?.localNetworks == expected)
    }

    @Test(arguments: [
        ("localnet ::1/128", "::1", UInt8(128), UInt16?.none), ("localnet [::]:80/0", "::", 0, 80),
        ("localnet [fd00::]/8", "fd00::", 8, nil), ("localnet fd00::/8", "fd00::", 8, nil),
        ("localnet [2001:db8::1]:65535/64", "2001:db8::1", 64, 65535),
    ])
    func localNetworksV6(text: String, network: String, prefixLength: UInt8, port: UInt16?) {
        guard case .v6(let address)? = IPAddress(network) else { return #expect(Bool(false)) }
        #expect(
            flawless(text)?.localNetworks == [
                LocalNetwork(network: IPNetwork(address, prefixLength: prefixLength), port: port)
            ])
    }

    @Test(arguments: [
        ("dnat 1.1.1.1 1.1.1.2", UInt16?.none, UInt16?.none), ("dnat 1.1.1.1:1234  1.1.1.2:443", 1234, 443),
        ("dnat 1.1.1.1:443 1.1.1.2", 443, nil), ("dnat\t1.1.1.1\t1.1.1.2:443", nil, 443),
        ("dnat 1.1.1.1:0 1.1.1.2:0", nil, nil),
    ])
    func translations(text: String, originalPort: UInt16?, replacementPort: UInt16?) {
        #expect(
            flawless(text)?.translations == [
                AddressTranslation(
                    original: address("1.1.1.1"), originalPort: originalPort, replacement: address("1.1.1.2"),
                    replacementPort: replacementPort)
            ])
    }

    /// A file may have more of these than proxychains has room for.
    @Test func manyEntries() {
        let text =
            String(repeating: "localnet 10.0.0.0/8\n", count: 100)
            + String(repeating: "dnat 1.1.1.1 1.1.1.2\n", count: 100)
        let configuration = flawless(text)
        #expect(configuration?.localNetworks.count == 100)
        #expect(configuration?.translations.count == 100)
    }

    /// Mistakes at which proxychains exits are errors in both styles.
    @Test(arguments: [
        (
            "remote_dns_subnet 256",
            "19: '256' does not fit here; expected the first octet of an address, 0 to 255"
        ),
        ("chain_len 2", "12: expected an equals sign, as in 'chain_len = 2'"),
        (
            "localnet",
            "9: expected an address and a mask, as in '10.0.0.0/8', '10.0.0.0:80/255.0.0.0' or '[fd00::]:80/8'"
        ),
        (
            "localnet 10.0.0.0",
            "10: '10.0.0.0' does not fit here; "
                + "expected an address and a mask, as in '10.0.0.0/8', '10.0.0.0:80/255.0.0.0' or '[fd00::]:80/8'"
        ),
        (
            "localnet 10.0.0.0/",
            "10: '10.0.0.0/' does not fit here; "
                + "expected an address and a mask, as in '10.0.0.0/8', '10.0.0.0:80/255.0.0.0' or '[fd00::]:80/8'"
        ),
        ("localnet 10.0.0.0/33", "19: '33' does not fit here; expected a mask, as 255.0.0.0 or 0 to 32"),
        (
            "localnet 10.0.0.0/255.0.0",
            "19: '255.0.0' does not fit here; expected a mask, as 255.0.0.0 or 0 to 32"
        ),
        ("localnet 10.0.0.0/8 # lan", "21: '# lan' is not expected here; a comment needs a line of its own"),
        ("localnet 10.0.0/8", "10: '10.0.0' does not fit here; expected an IPv4 or IPv6 address"),
        ("localnet 10.0.0.0 /8", "10: '10.0.0.0 ' does not fit here; expected an IPv4 or IPv6 address"),
        ("localnet host:80/8", "10: 'host' does not fit here; expected an IPv4 or IPv6 address"),
        ("localnet 10.0.0.0:65536/8", "19: '65536' does not fit here; expected a port, 0 to 65535"),
        ("localnet 10.0.0.0:/8", "19: '' does not fit here; expected a port, 0 to 65535"),
        ("localnet ::1/129", "14: '129' does not fit here; expected a prefix length, 0 to 128"),
        ("localnet ::1/ffff::", "14: 'ffff::' does not fit here; expected a prefix length, 0 to 128"),
        (
            "localnet [::1/128",
            "10: '[::1' does not fit here; expected ']' and a port after the IPv6 address"
        ),
        (
            "localnet [::1]80/128",
            "15: '80' does not fit here; expected ']' and a port after the IPv6 address"
        ),
        ("localnet [10.0.0.0]:80/8", "11: '10.0.0.0' does not fit here; expected an IPv4 or IPv6 address"),
        ("dnat", "5: expected an IPv4 address, with a port or without, as in '1.1.1.1:80'"),
        (
            "dnat 1.1.1.1",
            "13: expected the address to connect to instead, as in 'dnat 1.1.1.1 10.0.0.1:80'"
        ),
        (
            "dnat 1.1.1.1 ::1",
            "14: '::1' does not fit here; expected an IPv4 address, with a port or without, as in '1.1.1.1:80'"
        ),
        (
            "dnat a.example:1 1.1.1.1",
            "6: 'a.example:1' does not fit here; "
                + "expected an IPv4 address, with a port or without, as in '1.1.1.1:80'"
        ),
        ("dnat 1.1.1.1:99999 1.1.1.1", "14: '99999' does not fit here; expected a port, 0 to 65535"),
        ("proxy_dns_daemon", "17: expected an IPv4 address and a port, as in '127.0.0.1:1053'"),
        (
            "proxy_dns_daemon 127.0.0.1",
            "18: '127.0.0.1' does not fit here; expected an IPv4 address and a port, as in '127.0.0.1:1053'"
        ),
        (
            "proxy_dns_daemon ::1:53",
            "18: '::1:53' does not fit here; expected an IPv4 address and a port, as in '127.0.0.1:1053'"
        ),
        (
            "tcp_read_time_out 2147483648",
            "19: '2147483648' does not fit here; expected milliseconds, 1 to 2147483647"
        ),
        (
            "tcp_read_time_out 99999999999999999999999",
            "19: '99999999999999999999999' does not fit here; expected milliseconds, 1 to 2147483647"
        ),
        ("tcp_read_time_out 0", "19: '0' does not fit here; expected milliseconds, 1 to 2147483647"),
    ])
    func mistakes(text: String, error: String) {
        #expect(errors(text) == ["line 1, column \(error)"])
        #expect(errors(text, style: .proxychains) == ["line 1, column \(error)"])
    }

    /// Text that proxychains silently ignores is a warning in its files, with the value that it takes, and an error in
    /// others.
    @Test(arguments: [
        ("tcp_read_time_out", "18: expected milliseconds, 1 to 2147483647", 4000),
        ("tcp_read_time_out15000", "23: expected milliseconds, 1 to 2147483647", 4000),
        ("tcp_read_time_out x", "19: 'x' does not fit here; expected milliseconds, 1 to 2147483647", 4000),
        ("tcp_read_time_out 15s", "21: 's' is not expected here; a comment needs a line of its own", 15),
        ("tcp_read_time_out 15 # ms", "22: '# ms' is not expected here; a comment needs a line of its own", 15),
        ("unheard_of 5", "1: 'unheard_of' is not a keyword", 4000),
        (
            "[Proxylist]",
            "1: '[Proxylist]' is not a section; expected [ProxyList], [Proxies NAME], [Rules] or [App PATTERN]", 4000
        ),
        (
            "chain_len = many",
            "13: 'many' does not fit here; expected a number of proxies, as in 'chain_len = 2'", 4000
        ),
        ("chain_len =", "12: expected a number of proxies, as in 'chain_len = 2'", 4000),
        ("remote_dns_subnet", "18: expected the first octet of an address, 0 to 255", 4000),
        ("remote_dns_subnet 224.0", "22: '.0' is not expected here; a comment needs a line of its own", 4000),
        (
            "dnat 1.1.1.1 1.1.1.2 # gone",
            "22: '# gone' is not expected here; a comment needs a line of its own", 4000
        ),
    ])
    func traps(text: String, sentence: String, readTimeout: Int) {
        #expect(errors(text) == ["line 1, column \(sentence)"])
        #expect(errors(text, style: .proxychains) == [])
        #expect(warnings(text) == ["line 1, column \(sentence)"])
        #expect(Configuration.parse(text, style: .proxychains).configuration.readTimeout == readTimeout)
    }

    /// A line that proxychains would truncate is read whole, with a warning.
    @Test func longLines() {
        let user = String(repeating: "u", count: 255)
        let password = String(repeating: "p", count: 255)
        let line = "socks5 ::1 1080 \(user)" + String(repeating: " ", count: 600) + password
        let parsed = Configuration.parse("[ProxyList]\n\(line)", style: .proxychains)
        #expect(parsed.errors.isEmpty)
        #expect(parsed.configuration.proxies == [proxy(.socks5, "::1", 1080, user, password)])
        #expect(
            parsed.warnings.map(\.description) == [
                "line 2, column 1: the line has \(line.utf8.count) bytes; proxychains would cut it after 1023"
            ])
    }

    /// All settings of a distribution's file, with the same proxy.
    @Test func fileOfADistribution() {
        let text = """
            # The chain.
            #dynamic_chain
            strict_chain
            #random_chain
            #chain_len = 2
            #quiet_mode

            ## Names
            proxy_dns
            #proxy_dns_old
            #proxy_dns_daemon 127.0.0.1:1053
            #remote_dns_subnet 127\u{20}
            remote_dns_subnet 224

            # Milliseconds
            tcp_read_time_out 15000
            tcp_connect_time_out 8000

            # localnet 127.0.0.0/255.0.0.0
            # dnat 1.1.1.1:1234  1.1.1.2:443

            #            \tsocks5\t192.168.67.78\t1080\tlamer\tsecret
            [ProxyList]
            # none of ours
            socks4 \t127.0.0.1 9050

            """
        let configuration = flawless(text, style: .proxychains)
        #expect(configuration == flawless(text).map { with($0) { $0.loopback = .proxy } })
        #expect(configuration?.chainMode == .strict)
        #expect(configuration?.dns == .fake)
        #expect(configuration?.fakeNetwork == IPNetwork(IPv4Address(224, 0, 0, 0), prefixLength: 8))
        #expect(configuration?.readTimeout == 15000)
        #expect(configuration?.connectTimeout == 8000)
        #expect(configuration?.loopback == .proxy)
        #expect(configuration?.proxies == [proxy(.socks4, "127.0.0.1", 9050)])
        #expect(configuration?.validateUse() == nil)
    }
}

func with(_ configuration: Configuration, _ change: (inout Configuration) -> Void) -> Configuration {
    var configuration = configuration
    change(&configuration)
    return configuration
}
