import Addressing
import ProxyConfig
import Testing

@Suite struct ProxyURLTests {
    @Test(arguments: [
        ("socks5://10.0.0.1:1080", proxy(.socks5, "10.0.0.1", 1080)),
        ("socks5://10.0.0.1", proxy(.socks5, "10.0.0.1", 1080)),
        ("socks5://10.0.0.1/", proxy(.socks5, "10.0.0.1", 1080)),
        ("socks5://10.0.0.1:99/", proxy(.socks5, "10.0.0.1", 99)),
        ("socks5h://gw.example", proxy(.socks5, "gw.example", 1080)),
        (
            "socks5://alice:s%3Acret@[2001:db8::1]:1080",
            proxy(.socks5, "2001:db8::1", 1080, "alice", "s:cret")
        ),
        ("socks5://[::1]", proxy(.socks5, "::1", 1080)), ("socks5://[::1]/", proxy(.socks5, "::1", 1080)),
        ("socks5://a%40b:p@ss:w/o@h:1", proxy(.socks5, "h", 1, "a@b", "p@ss:w/o")),
        (
            "socks5://%25%2c:%00%fF@h:1",
            Proxy(
                type: .socks5, host: .name(HostName("h")!), port: 1,
                credentials: Credentials(user: [0x25, 0x2c], password: [0, 0xff]))
        ),
        ("socks4://10.0.0.1", proxy(.socks4, "10.0.0.1", 1080)),
        ("socks4://alice@10.0.0.1:9", proxy(.socks4, "10.0.0.1", 9, "alice")),
        ("http://alice:pw@gw.example:3128", proxy(.http, "gw.example", 3128, "alice", "pw")),
        ("http://alice@gw.example:3128", proxy(.http, "gw.example", 3128, "alice")),
        ("raw://10.0.0.1:7", proxy(.raw, "10.0.0.1", 7)),
    ])
    func urls(url: String, expected: Proxy) {
        #expect(proxies(url) == [expected])
        #expect(Configuration.parse(proxyURLs: url).configuration.proxies == [expected])
        #expect(Configuration.parse(proxyURLs: url).errors.isEmpty)
    }

    /// proxychains takes a URL literally: it decodes nothing, spaces belong to the password, and the host follows the
    /// last at sign.
    @Test(arguments: [
        ("socks5://u%41:p%zz@10.0.0.1:1080", proxy(.socks5, "10.0.0.1", 1080, "u%41", "p%zz")),
        ("socks5://u:p:q@r@10.0.0.1:1080", proxy(.socks5, "10.0.0.1", 1080, "u", "p:q@r")),
        ("socks5://u:p q@10.0.0.1:1080", proxy(.socks5, "10.0.0.1", 1080, "u", "p q")),
        ("socks4://10.0.0.1:1080", proxy(.socks4, "10.0.0.1", 1080)),
        ("http://u:p@10.0.0.1:80", proxy(.http, "10.0.0.1", 80, "u", "p")),
    ])
    func urlsOfProxychains(url: String, expected: Proxy) {
        #expect(proxies(url, style: .proxychains) == [expected])
    }

    @Test(arguments: [
        ("ftp://h:1", "1: 'ftp' is not a proxy type; expected socks5, socks4, http or raw"),
        ("alice:s3cret://h:1", "1: 'alice' is not a proxy type; expected socks5, socks4, http or raw"),
        ("socks5://", "10: expected the host of the proxy"),
        ("socks5://:1080", "10: expected the host of the proxy"),
        ("socks5://u:p@", "14: expected the host of the proxy"),
        ("socks5://h:", "12: expected a port, 1 to 65535"),
        ("socks5://alice:s3cret", "16: expected a port, 1 to 65535"),
        ("socks5://alice:12secret", "16: expected a port, 1 to 65535"),
        ("socks5://h:70000", "12: '70000' does not fit here; expected a port, 1 to 65535"),
        ("socks5://h:1080/path", "12: expected a port, 1 to 65535"),
        ("socks5://h:0", "12: a proxy with port 0 is skipped, which changes the chain; expected 1 to 65535"),
        ("http://h", "9: expected a port, 1 to 65535"),
        ("socks5://[::1", "14: expected ']' and a port after the IPv6 address"),
        ("socks5://[::1]1080", "15: expected ']' and a port after the IPv6 address"),
        ("socks5://::1:1080", "10: expected the host of the proxy"),
        (
            "socks5://[x]:1",
            "10: '[x]' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        ("socks5://alice:@h:1", "10: a user needs a password of 1 to 255 bytes here"),
        ("socks5://:pw@h:1", "10: the user is empty, so neither user nor password is sent"),
        ("socks5://@h:1", "10: the user is empty, so neither user nor password is sent"),
        (
            "socks5://a%4:p@h:1",
            "11: a percent sign needs two hexadecimal digits after it; %25 is the sign itself"
        ),
        (
            "socks5://a:%@h:1",
            "12: a percent sign needs two hexadecimal digits after it; %25 is the sign itself"
        ),
        (
            "socks5://a:%g0@h:1",
            "12: a percent sign needs two hexadecimal digits after it; %25 is the sign itself"
        ),
    ])
    func mistakes(url: String, error: String) {
        #expect(errors("[ProxyList]\n" + url) == ["line 2, column \(error)"])
        #expect(Configuration.parse(proxyURLs: url).errors.map(\.description) == ["column \(error)"])
    }

    /// No message shows a part of a possible password.
    @Test(arguments: [
        "socks5://alice:s3cret", "alice:s3cret@10.0.0.1:1080", "socks5 alice:s3cret@10.0.0.1 1080",
        "socks5://alice:1%zzs3cret@h:1", "socks5://alice:x s3cret@h:1", "socks5 h 1 alice x s3cret",
        "x:s3cret://h", "socks5://alice:1s3cret", "socks5://alice:1 s3cret", "socks5://alice:x?s3cret@h:1",
        "socks5+unix://alice:s3cret@run",
        "socks5://alice@h:1?s3cret", "socks4://alice:s3cret@h:1", "socks5+unix://alice:s3cret",
    ])
    func passwordsStayHidden(line: String) {
        for style in [ConfigurationStyle.socksify, .proxychains] {
            let parsed = Configuration.parse("[ProxyList]\n" + line, style: style)
            for error in parsed.errors + parsed.warnings { #expect(!error.description.contains("cret")) }
        }
        for error in Configuration.parse(proxyURLs: line).errors {
            #expect(!error.description.contains("cret"))
        }
    }

    @Test(arguments: [
        (
            "socks4://alice:pw@10.0.0.1:1",
            "10: a socks4 URL takes no user here; expected type, host, port and user as words"
        ),
        (
            "raw://10.0.0.1:1",
            "1: 'raw' proxies are not written as a URL; expected type, host and port as words"
        ),
        ("socks5://10.0.0.1", "18: expected a port, 1 to 65535"),
        ("socks5://alice@10.0.0.1:1080", "15: a user needs a password of 1 to 255 bytes here"),
    ])
    func mistakesInFilesOfProxychains(url: String, error: String) {
        #expect(errors("[ProxyList]\n" + url, style: .proxychains) == ["line 2, column \(error)"])
    }

    @Test(arguments: [
        (
            "socks5://10.0.0.1:1080 # note",
            "24: too many words for a proxy; a comment needs a line of its own, and a space in a URL is %20",
            proxy(.socks5, "10.0.0.1", 1080)
        ),
        (
            "socks5://:@10.0.0.1:1080", "10: the user is empty, so neither user nor password is sent",
            proxy(.socks5, "10.0.0.1", 1080)
        ),
        (
            "socks5://alice:@10.0.0.1:1080", "10: a user needs a password of 1 to 255 bytes here",
            proxy(.socks5, "10.0.0.1", 1080, "alice", "")
        ),
    ])
    func trapsInFilesOfProxychains(url: String, sentence: String, expected: Proxy) {
        #expect(warnings("[ProxyList]\n" + url) == ["line 2, column \(sentence)"])
        #expect(
            Configuration.parse("[ProxyList]\n" + url, style: .proxychains).configuration.proxies == [
                expected
            ])
    }

    // MARK: Unix-domain sockets

    @Test(
        arguments: [
            ("socks5+unix:///run/tor/socks", ProxyType.socks5, "/run/tor/socks", nil),
            ("socks5h+unix:///a@b", .socks5, "/a@b", nil), ("socks4+unix:///a", .socks4, "/a", nil),
            ("http+unix:///a:1", .http, "/a:1", nil), ("raw+unix:///a", .raw, "/a", nil),
            ("socks5+unix:///a%20b%3F", .socks5, "/a b?", nil),
            (
                "socks5+unix://alice:pw%2F@/run/x@/y", .socks5, "/run/x@/y",
                Credentials(user: Array("alice".utf8), password: Array("pw/".utf8))
            ),
            (
                "socks5+unix://alice@/x?password-env=PW", .socks5, "/x",
                Credentials(user: Array("alice".utf8), password: [], source: .variable(Array("PW".utf8)))
            ),
        ] as [(String, ProxyType, String, Credentials?)])
    func unixSockets(url: String, type: ProxyType, path: String, credentials: Credentials?) {
        let expected = Proxy(type: type, location: .unixSocket(Array(path.utf8)), credentials: credentials)
        #expect(proxies(url) == [expected])
        #expect(Configuration.parse(proxyURLs: url).configuration.proxies == [expected])
    }

    /// A file of proxychains has no percent-decoding, and no raw proxies as URLs.
    @Test func unixSocketsInProxychains() {
        let expected = Proxy(type: .http, location: .unixSocket(Array("/a%20?".utf8)))
        #expect(proxies("http+unix:///a%20?", style: .proxychains) == [expected])
        #expect(errors("[ProxyList]\nraw+unix:///a", style: .proxychains).count == 1)
    }

    @Test func unixSocketPaths() {
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(proxies("socks5+unix://" + longest)?.count == 1)
        for path in [longest + "a", "", "run/tor", "a:b", "/a%00", "u:p@run"] {
            let error = errors("[ProxyList]\nsocks5+unix://" + path).first ?? ""
            #expect(error.contains("expected an absolute path of up to 107 bytes"), "\(error)")
        }
    }

    // MARK: Passwords that stand somewhere else

    @Test(arguments: [
        ("socks5://alice@h:1?password-file=/run/pw", PasswordSource.file(Array("/run/pw".utf8))),
        ("socks5://alice@h?password-file=/run/a%20b%26@", .file(Array("/run/a b&@".utf8))),
        ("http://alice@h:1?password-env=MY_PW", .variable(Array("MY_PW".utf8))),
        ("socks5://alice@h:1/?password-env=PW", .variable(Array("PW".utf8))),
        ("socks5://alice@h:1", .variable(Array("SOCKSIFY_PASSWORD".utf8))),
    ])
    func sources(url: String, source: PasswordSource) {
        let expected = Credentials(user: Array("alice".utf8), password: [], source: source)
        #expect(proxies(url)?.map(\.credentials) == [expected])
        #expect(Configuration.parse(proxyURLs: url).configuration.proxies.map(\.credentials) == [expected])
    }

    /// Only a SOCKS5 proxy requires a password.
    @Test func noPasswordNeeded() {
        #expect(proxies("http://alice@h:1") == [proxy(.http, "h", 1, "alice")])
        #expect(proxies("socks4://alice@h:1") == [proxy(.socks4, "h", 1, "alice")])
    }

    /// A path that depends on the current directory is for the command line alone.
    @Test func relativePaths() {
        let url = "socks5://alice@h:1?password-file=pw"
        #expect(
            Configuration.parse(proxyURLs: url).configuration.proxies.first?.credentials?.source
                == .file(Array("pw".utf8)))
        #expect(
            errors("[ProxyList]\n" + url) == ["line 2, column 34: 'pw' does not fit here; expected an absolute path"])
    }

    @Test(arguments: [
        (
            "socks5://alice:pw@h:1?password-env=X",
            "10: there is a password already; expected a user alone with ?password-file or ?password-env"
        ),
        (
            "socks5://h:1?password-env=X",
            "14: a password needs a user, as in 'socks5://alice@127.0.0.1:1080?password-env=NAME'"
        ),
        (
            "socks5://alice@h:1?password=X",
            "20: expected ?password-file=PATH or ?password-env=NAME alone; '?' in a password is %3F, '&' %26"
        ),
        (
            "socks5://alice:a?b@h:1",
            "18: expected ?password-file=PATH or ?password-env=NAME alone; '?' in a password is %3F, '&' %26"
        ),
        (
            "socks5://alice@h:1?password-env=X&password-file=/x",
            "34: expected ?password-file=PATH or ?password-env=NAME alone; '?' in a password is %3F, '&' %26"
        ),
        (
            "socks5://alice@h:1?password-env=",
            "33: '' does not fit here; expected the name of an environment variable"
        ),
        (
            "socks5://alice@h:1?password-env=A=B",
            "33: 'A=B' does not fit here; expected the name of an environment variable"
        ),
        ("socks5://alice@h:1?password-file=", "34: '' does not fit here; expected an absolute path"),
        ("socks4://alice@h:1?password-env=X", "10: socks4 has a user, but no password; none is sent"),
        ("socks4://alice:pw@h:1", "10: socks4 has a user, but no password; none is sent"),
        ("socks4://al%00ice@h:1", "10: the user of a socks4 proxy cannot have a zero byte"),
        ("http://al%3Aice:pw@h:1", "8: the user of an HTTP proxy cannot have a colon"),
    ])
    func mistakesOfPasswords(url: String, error: String) {
        #expect(errors("[ProxyList]\n" + url) == ["line 2, column \(error)"])
        #expect(Configuration.parse(proxyURLs: url).errors.map(\.description) == ["column \(error)"])
    }

    /// A proxy that is written as a URL is read as the same proxy.
    @Test(arguments: [
        "socks5://10.0.0.1:1080", "http://[2001:db8::1]:3128", "socks4://a%3Ab@gw.example:1",
        "socks5://u%20%40:p%2C%3F%26%2525@h:1", "raw://h:1", "http://alice@h:1", "socks5+unix:///run/a%20b%3F%25",
        "socks5+unix://alice:pw@/x", "socks5://alice@h:1?password-file=/a%26b", "http+unix://a@/x?password-env=X",
        "socks5://alice@h:1",
    ])
    func writesURLs(url: String) {
        let parsed = Configuration.parse(proxyURLs: url)
        #expect(parsed.errors.isEmpty)
        var bytes: [UInt8] = []
        parsed.configuration.proxies[0].writeURL(to: &bytes)
        #expect(Configuration.parse(proxyURLs: bytes.span).configuration.proxies == parsed.configuration.proxies)
        #expect(Configuration.parse("[ProxyList]\n\(url)").configuration.proxies == parsed.configuration.proxies)
    }

    @Test func hidesPasswords() {
        var bytes: [UInt8] = []
        proxy(.socks5, "h", 1, "alice", "s3cret").writeURL(to: &bytes, hidesPassword: true)
        #expect(String(decoding: bytes, as: UTF8.self) == "socks5://alice:***@h:1")
    }

    /// A list of URLs is a chain; a URL in it may omit its scheme.
    @Test(arguments: [
        ("10.0.0.1:1080", [proxy(.socks5, "10.0.0.1", 1080)]), ("[::1]:1080", [proxy(.socks5, "::1", 1080)]),
        ("alice:pw@host", [proxy(.socks5, "host", 1080, "alice", "pw")]),
        ("host", [proxy(.socks5, "host", 1080)]),
        (
            " socks5://a:1 ,\tb:2,http://[::1]:3 \n",
            [proxy(.socks5, "a", 1), proxy(.socks5, "b", 2), proxy(.http, "::1", 3)]
        ),
        ("u:a%2Cb@h:1,i:2", [proxy(.socks5, "h", 1, "u", "a,b"), proxy(.socks5, "i", 2)]),
    ])
    func lists(text: String, expected: [Proxy]) {
        let parsed = Configuration.parse(proxyURLs: text)
        #expect(parsed.errors.isEmpty)
        #expect(parsed.configuration.proxies == expected)
        #expect(parsed.configuration.chainMode == .strict)
    }

    @Test(arguments: [
        ("", ["column 1: expected a proxy, as in 'socks5://127.0.0.1:1080'"]),
        ("a,", ["column 3: expected a proxy, as in 'socks5://127.0.0.1:1080'"]),
        (
            "a,,ftp://b",
            [
                "column 3: expected a proxy, as in 'socks5://127.0.0.1:1080'",
                "column 4: 'ftp' is not a proxy type; expected socks5, socks4, http or raw",
            ]
        ),
        ("::1", ["column 1: expected the host of the proxy"]),
    ])
    func mistakesInLists(text: String, expected: [String]) {
        #expect(Configuration.parse(proxyURLs: text).errors.map(\.description) == expected)
    }
}
