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

    /// proxychains takes a URL as it is: nothing is decoded, spaces belong to the password, the host is
    /// behind the last at sign.
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
        ("ftp://h:1", "1: 'ftp' is no proxy type; expected socks5, socks4, http or raw"),
        ("alice:s3cret://h:1", "1: 'alice' is no proxy type; expected socks5, socks4, http or raw"),
        ("socks5://", "10: expected the host of the proxy"),
        ("socks5://:1080", "10: expected the host of the proxy"),
        ("socks5://u:p@", "14: expected the host of the proxy"),
        ("socks5://h:", "12: expected a port, 1 to 65535"),
        ("socks5://alice:s3cret", "16: expected a port, 1 to 65535"),
        ("socks5://alice:12secret", "16: expected a port, 1 to 65535"),
        ("socks5://h:70000", "12: '70000' does not fit here; expected a port, 1 to 65535"),
        ("socks5://h:1080/path", "12: expected a port, 1 to 65535"),
        ("socks5://h:0", "12: a proxy with port 0 is left out, which changes the chain; expected 1 to 65535"),
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

    /// No part of what may be a password is ever shown.
    @Test(arguments: [
        "socks5://alice:s3cret", "alice:s3cret@10.0.0.1:1080", "socks5 alice:s3cret@10.0.0.1 1080",
        "socks5://alice:1%zzs3cret@h:1", "socks5://alice:x s3cret@h:1", "socks5 h 1 alice x s3cret",
        "x:s3cret://h", "socks5://alice:1s3cret", "socks5://alice:1 s3cret",
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
    ])
    func trapsInFilesOfProxychains(url: String, sentence: String, expected: Proxy) {
        #expect(warnings("[ProxyList]\n" + url) == ["line 2, column \(sentence)"])
        #expect(
            Configuration.parse("[ProxyList]\n" + url, style: .proxychains).configuration.proxies == [
                expected
            ])
    }

    /// A list of URLs is a chain; a URL in it may go without its scheme.
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
                "column 4: 'ftp' is no proxy type; expected socks5, socks4, http or raw",
            ]
        ),
        ("::1", ["column 1: expected the host of the proxy"]),
    ])
    func mistakesInLists(text: String, expected: [String]) {
        #expect(Configuration.parse(proxyURLs: text).errors.map(\.description) == expected)
    }
}
