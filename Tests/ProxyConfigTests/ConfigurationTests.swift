import Addressing
import ProxyConfig
import Testing

@Suite struct ConfigurationTests {
    /// An empty file of socksify gives the documented defaults.
    @Test func defaultsOfSocksify() {
        let configuration = Configuration.parse("").configuration
        #expect(configuration == Configuration())
        #expect(configuration.chainMode == .strict)
        #expect(configuration.loopback == .direct)
        #expect(configuration.dns == .fake)
        #expect(configuration.fakeNetwork == IPNetwork(IPv4Address(198, 18, 0, 0), prefixLength: 15))
        #expect(configuration.udp == .associate)
        #expect(configuration.udpFragmentSize == nil)
    }

    /// An empty file of proxychains has the meaning that it has for proxychains.
    @Test func defaultsOfProxychains() {
        let configuration = Configuration.parse("", style: .proxychains).configuration
        #expect(configuration.chainMode == .dynamic)
        #expect(configuration.loopback == .proxy)
        #expect(configuration.dns == .local)
        #expect(configuration.fakeNetwork == IPNetwork(IPv4Address(224, 0, 0, 0), prefixLength: 8))
        #expect(configuration.connectTimeout == 10_000)
        #expect(configuration.readTimeout == 4_000)
        #expect(configuration.chainLength == 1)
        #expect(configuration.logLevel == .error)
    }

    /// The style comes from the last component of the path alone.
    @Test(arguments: [
        ("proxychains.conf", ConfigurationStyle.proxychains), ("/etc/proxychains4.conf", .proxychains),
        ("/home/a/proxychains-tor.conf", .proxychains), ("/etc/socksify.conf", .socksify),
        ("/proxychains.conf/x", .socksify), ("proxychains.conf.bak", .socksify),
        ("Proxychains.conf", .socksify),
        ("proxychains.con", .socksify), ("", .socksify), ("/", .socksify), ("proxychain.conf", .socksify),
        ("myproxychains.conf", .socksify),
    ])
    func styleOfFileName(path: String, style: ConfigurationStyle) {
        #expect(ConfigurationStyle(fileName: Array(path.utf8).span) == style)
    }

    /// All errors are found at once, in the order of the text.
    @Test func findsAllMistakes() {
        let text = """
            # a comment
            strict_chian
            tcp_read_time_out soon
              loopback maybe

            [ProxyList]
            socks5 10.0.0.1
            sock5 10.0.0.1 1080
            """
        #expect(
            errors(text) == [
                "line 2, column 1: 'strict_chian' is not a keyword",
                "line 3, column 19: 'soon' does not fit here; expected milliseconds, 1 to 2147483647",
                "line 4, column 12: 'maybe' does not fit here; expected direct or proxy",
                "line 7, column 16: expected a port, 1 to 65535",
                "line 8, column 1: 'sock5' is not a proxy type; expected socks5, socks4, http or raw",
            ])
    }

    /// The place can also have the form of compilers, and a text without lines has only columns.
    @Test func rendersPlaces() {
        var bytes: [UInt8] = []
        let file = Array("my.conf".utf8)
        let error = Configuration.parse("\n nonsense").errors[0]
        error.write(to: &bytes, source: file.span)
        #expect(String(decoding: bytes, as: UTF8.self) == "my.conf:2:2: 'nonsense' is not a keyword")
        bytes = []
        Configuration.parse(proxyURLs: "ftp://a").errors[0].write(to: &bytes, source: Array("-x".utf8).span)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "-x:1: 'ftp' is not a proxy type; expected socks5, socks4, http or raw")
    }

    /// The text of a hostile file reaches a terminal only escaped and shortened.
    @Test func escapesWhatItShows() {
        #expect(errors("\u{1b}[2Jx\u{7f}é") == ["line 1, column 1: '\\x1b[2Jx\\x7f\\xc3\\xa9' is not a keyword"])
        let long = errors(String(repeating: "y", count: 900))
        #expect(long == ["line 1, column 1: '" + String(repeating: "y", count: 60) + "...' is not a keyword"])
    }

    // MARK: What can be written, but not be used

    @Test(arguments: [
        ("", ": there is no proxy; expected a line such as 'socks5 127.0.0.1 1080' after [ProxyList]"),
        (
            "round_robin_chain\nchain_len = 3\n[ProxyList]\nsocks5 1.1.1.1 1",
            ":2:1: chain_len is 3, but the list has only 1"
        ),
        (
            "[ProxyList]\nsocks5 ::1 1\n[Proxies a]\nrandom_chain\n chain_len = 2\nsocks5 ::1 1\n[Rules]\nproxy a",
            ":5:2: chain_len is 2, but the list has only 1"
        ),
    ])
    func saysWhatCannotBeUsed(text: String, expected: String) {
        let parsed = Configuration.parse(text)
        #expect(parsed.errors.isEmpty)
        var bytes: [UInt8] = []
        parsed.obstacles.first?.write(to: &bytes, source: Array("".utf8).span)
        #expect(String(decoding: bytes, as: UTF8.self) == expected)
        #expect(parsed.configuration.validateUse()?.kind == parsed.obstacles.first?.kind)
        #expect(parsed.allErrors == parsed.obstacles)
    }

    @Test(arguments: [
        "dynamic_chain\n[ProxyList]\nsocks5 1.1.1.1 1\nhttp 1.1.1.2 1",
        "random_chain\n[ProxyList]\nsocks4 1.1.1.1 1\nsocks5 1.1.1.2 1",
        "round_robin_chain\nchain_len = 2\n[ProxyList]\nraw 1.1.1.1 1\nsocks5 1.1.1.2 1",
        "[ProxyList]\nsocks5 1.1.1.1 1\nsocks5 name.example 2\nsocks5 ::1 3",
        "dynamic_chain\n[ProxyList]\nsocks5 1.1.1.1 1", "random_chain\n[ProxyList]\nsocks5 1.1.1.1 1",
        "round_robin_chain\nchain_len=1\n[ProxyList]\nsocks5 1.1.1.1 1",
        "dynamic_chain\nchain_len = 9\n[ProxyList]\nsocks5 1.1.1.1 1",
        "proxy_dns_daemon 127.0.0.1:1053\n[ProxyList]\nsocks5 1.1.1.1 1",
        "[ProxyList]\nsocks5 1.1.1.1 1\n[Proxies unused]\ndynamic_chain\nsocks5 ::1 1\nhttp ::1 1",
    ])
    func usable(text: String) {
        let parsed = Configuration.parse(text)
        #expect(parsed.allErrors.isEmpty)
        #expect(parsed.configuration.validateUse() == nil)
    }

    /// A list with a misspelled entry does not also get the error that it has no proxy.
    @Test func noFollowUpErrors() {
        #expect(
            Configuration.parse("[ProxyList]\nsocks 1.1.1.1 1080").allErrors.map(\.description) == [
                "line 2, column 1: 'socks' is not a proxy type; expected socks5, socks4, http or raw"
            ])
    }

    /// URLs replace the chain of a file, and nothing else.
    @Test func replacesProxies() {
        var file = Configuration.parse(
            "random_chain\nchain_len = 2\nloopback proxy\nlocalnet 10.0.0.0/8\n[ProxyList]\nhttp 1.1.1.1 8080"
        )
        #expect(!file.obstacles.isEmpty)
        file.replaceProxies(with: Configuration.parse(proxyURLs: "10.0.0.1,10.0.0.2:99"))
        #expect(
            file.configuration.proxies == [proxy(.socks5, "10.0.0.1", 1080), proxy(.socks5, "10.0.0.2", 99)])
        #expect(file.obstacles.isEmpty)
        #expect(file.configuration.chainMode == .strict)
        #expect(file.configuration.loopback == .proxy)
        #expect(file.configuration.localNetworks.count == 1)
    }

    /// A file that is no configuration may have a mistake in each of a million lines; the number of reported errors is
    /// limited.
    @Test func mistakesBeyondAThousandAreLeftOut() {
        for count in [999, 1000] {
            #expect(
                errors(String(repeating: "x\n", count: count))
                    == (1...count).map { "line \($0), column 1: 'x' is not a keyword" })
        }
        let text = String(repeating: "x\n", count: 3000)
        let last = "line 1001, column 1: there are more than 1000 of these; the others are omitted"
        #expect(errors(text).count == 1001 && errors(text).last == last)
        #expect(warnings(text).count == 1001 && warnings(text).last == last)
    }
}
