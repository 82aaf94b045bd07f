import Addressing
import ProxyConfig
import Testing

@Suite struct ProxyEntryTests {
    @Test(arguments: [
        ("socks5 10.0.0.1 1080", proxy(.socks5, "10.0.0.1", 1080)),
        ("socks5\t10.0.0.1  1080\talice s3cret", proxy(.socks5, "10.0.0.1", 1080, "alice", "s3cret")),
        ("socks4 10.0.0.1 1080", proxy(.socks4, "10.0.0.1", 1080)),
        ("socks4 10.0.0.1 1080 alice", proxy(.socks4, "10.0.0.1", 1080, "alice")),
        ("http 10.0.0.1 3128 alice s3cret", proxy(.http, "10.0.0.1", 3128, "alice", "s3cret")),
        ("http 10.0.0.1 3128 alice", proxy(.http, "10.0.0.1", 3128, "alice")),
        ("raw 10.0.0.1 80", proxy(.raw, "10.0.0.1", 80)),
        ("socks5 2001:db8::1 1", proxy(.socks5, "2001:db8::1", 1)),
        ("socks5 [2001:db8::1] 65535", proxy(.socks5, "2001:db8::1", 65535)),
        ("socks5 gw.example 1080", proxy(.socks5, "gw.example", 1080)),
        ("socks5 my_gw 1080", proxy(.socks5, "my_gw", 1080)),
        ("socks5 4you.example. 9", proxy(.socks5, "4you.example.", 9)),
        ("socks5 a 1 u%41 p%zz", proxy(.socks5, "a", 1, "u%41", "p%zz")),
        ("socks5h 10.0.0.1 1080", proxy(.socks5, "10.0.0.1", 1080)),
    ])
    func words(line: String, expected: Proxy) {
        #expect(proxies(line) == [expected])
        #expect(proxies(line, style: .proxychains) == [expected])
    }

    @Test(arguments: [
        ("socks5", "7: expected the host of the proxy"),
        ("socks5 10.0.0.1", "16: expected a port, 1 to 65535"),
        ("socks5 10.0.0.1 http", "17: 'http' does not fit here; expected a port, 1 to 65535"),
        ("socks5 10.0.0.1 65536", "17: '65536' does not fit here; expected a port, 1 to 65535"),
        ("socks5 10.0.0.1 -1", "17: '-1' does not fit here; expected a port, 1 to 65535"),
        ("socks5 10.0.0.1 1080x u p", "17: '1080x' does not fit here; expected a port, 1 to 65535"),
        ("sock5 10.0.0.1 1080", "1: 'sock5' is not a proxy type; expected socks5, socks4, http or raw"),
        ("SOCKS5 10.0.0.1 1080", "1: 'SOCKS5' is not a proxy type; expected socks5, socks4, http or raw"),
        ("alice:s3cret@10.0.0.1:1080", "1: 'alice' is not a proxy type; expected socks5, socks4, http or raw"),
        ("[::1]:1080", "1: '[' is not a proxy type; expected socks5, socks4, http or raw"),
        ("[::1]", "1: '[' is not a proxy type; expected socks5, socks4, http or raw"),
        (
            "socks5 10.0.0.256 1080",
            "8: '10.0.0.256' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 10.1 1080",
            "8: '10.1' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 a..b 1080",
            "8: 'a..b' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 .a 1080",
            "8: '.a' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 . 1080",
            "8: '.' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 fe80::1%eth0 1080",
            "8: 'fe80::1%eth0' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 [] 1080",
            "8: '[]' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 [1.1.1.1] 1",
            "8: '[1.1.1.1]' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        (
            "socks5 a:s3cret@h:1 1",
            "8: 'h:1' does not fit here; expected an IPv4 address, an IPv6 address or a host name"
        ),
        ("strict_chain", "1: 'strict_chain' belongs above [ProxyList]; below it every line is a proxy"),
        ("localnet 10.0.0.0/8", "1: 'localnet' belongs above [ProxyList]; below it every line is a proxy"),
        ("log info", "1: 'log' belongs above [ProxyList]; below it every line is a proxy"),
        (
            "[Section]",
            "1: '[Section]' is not a section; expected [ProxyList], [Proxies NAME], [Rules] or [App PATTERN]"
        ),
    ])
    func mistakes(line: String, error: String) {
        #expect(errors("[ProxyList]\n" + line) == ["line 2, column \(error)"])
        #expect(errors("[ProxyList]\n" + line, style: .proxychains) == ["line 2, column \(error)"])
    }

    /// RFC 1929 has one byte for each length.
    @Test func credentialLengths() {
        let most = String(repeating: "x", count: 255)
        #expect(proxies("socks5 ::1 1 \(most) \(most)") == [proxy(.socks5, "::1", 1, most, most)])
        #expect(
            errors("[ProxyList]\nsocks5 ::1 1 \(most)x p") == [
                "line 2, column 14: the user has 256 bytes; expected 1 to 255"
            ])
        #expect(
            errors("[ProxyList]\nsocks5 ::1 1 u \(most)xx") == [
                "line 2, column 14: the password has 257 bytes; expected 1 to 255"
            ])
    }

    /// A label has at most 63 bytes, a name at most 253.
    @Test func nameLengths() {
        let label = String(repeating: "a", count: 63)
        #expect(proxies("socks5 \(label).example 1") == [proxy(.socks5, "\(label).example", 1)])
        #expect(errors("[ProxyList]\nsocks5 \(label)a.example 1").count == 1)
        let name = [label, label, label, String(repeating: "b", count: 61)].joined(separator: ".")
        #expect(proxies("socks5 \(name) 1") == [proxy(.socks5, name, 1)])
        #expect(errors("[ProxyList]\nsocks5 \(name)b 1").count == 1)
    }

    /// An entry that proxychains changes silently is a warning in its files and an error in others.
    @Test(arguments: [
        (
            "socks5 10.0.0.1 0",
            "17: a proxy with port 0 is skipped, which changes the chain; expected 1 to 65535",
            [Proxy]()
        ),
        (
            "socks5 10.0.0.1 1080 # note",
            "22: the words after the port are user and password, not a comment; a comment needs a line of its own",
            [proxy(.socks5, "10.0.0.1", 1080, "#", "note")]
        ),
        (
            "socks5 10.0.0.1 1080 alice", "22: a user needs a password of 1 to 255 bytes here",
            [proxy(.socks5, "10.0.0.1", 1080, "alice", "")]
        ),
        (
            "socks4 10.0.0.1 1080 alice s3cret",
            "22: socks4 has a user, but no password; none is sent", [proxy(.socks4, "10.0.0.1", 1080, "alice")]
        ),
        (
            "socks5 10.0.0.1 1080 # a longer note",
            "22: the words after the port are user and password, not a comment; a comment needs a line of its own",
            [proxy(.socks5, "10.0.0.1", 1080, "#", "a")]
        ),
        (
            "socks5 10.0.0.1 1080 alice s3cret # note",
            "35: too many words for a proxy; a comment needs a line of its own, and a space in a URL is %20",
            [proxy(.socks5, "10.0.0.1", 1080, "alice", "s3cret")]
        ),
    ])
    func traps(line: String, sentence: String, expected: [Proxy]) {
        #expect(errors("[ProxyList]\n" + line) == ["line 2, column \(sentence)"])
        #expect(warnings("[ProxyList]\n" + line) == ["line 2, column \(sentence)"])
        let parsed = Configuration.parse("[ProxyList]\n" + line, style: .proxychains)
        #expect(parsed.errors.isEmpty)
        #expect(parsed.configuration.proxies == expected)
    }
}
