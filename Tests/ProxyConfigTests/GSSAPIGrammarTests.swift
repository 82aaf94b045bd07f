import Addressing
import ProxyConfig
import Testing

/// How a proxy is authenticated with by GSSAPI.
@Suite struct GSSAPIGrammarTests {
    private static func secured(
        _ protection: GSSAPIProtection, _ service: String = "rcmd", nec: Bool = false, delegate: Bool = false
    ) -> Proxy {
        var expected = proxy(.socks5, "gw.example", 1080)
        expected.gssapi = GSSAPISettings(
            protection: protection, service: Array(service.utf8), usesNECForm: nec, delegates: delegate)
        return expected
    }

    private static let forms: [(String, Proxy)] = [
        ("gssapi=none", secured(.none)), ("gssapi=integrity", secured(.integrity)),
        ("gssapi=confidentiality", secured(.confidentiality)), ("gssapi=integrity nec", secured(.integrity, nec: true)),
        ("nec service=socks gssapi=integrity", secured(.integrity, "socks", nec: true)),
        ("service=a-b_c.9 gssapi=confidentiality delegate", secured(.confidentiality, "a-b_c.9", delegate: true)),
        ("delegate nec gssapi=none service=x", secured(.none, "x", nec: true, delegate: true)),
    ]

    @Test(arguments: forms) func `The words stand behind an entry, or in a URL's query`(words: String, expected: Proxy)
    {
        #expect(proxies("socks5 gw.example 1080 \(words)") == [expected])
        #expect(proxies("socks5 gw.example 1080   \(words.replacing(" ", with: "  "))") == [expected])
        let url = "socks5://gw.example:1080?\(words.replacing(" ", with: "&"))"
        #expect(proxies(url) == [expected])
        #expect(Configuration.parse(proxyURLs: url).configuration.proxies == [expected])
    }

    @Test(arguments: forms) func `A proxy is written as a URL that reads the same`(words: String, expected: Proxy) {
        var bytes: [UInt8] = []
        expected.writeURL(to: &bytes)
        #expect(proxies(String(decoding: bytes, as: UTF8.self)) == [expected])
    }

    @Test(arguments: [
        (
            "gssapi=",
            "31: '' does not fit here; expected 'gssapi=none', 'gssapi=integrity' or 'gssapi=confidentiality'"
        ),
        (
            "gssapi=high",
            "31: 'high' does not fit here; expected 'gssapi=none', 'gssapi=integrity' or 'gssapi=confidentiality'"
        ),
        ("service=x", "24: expected 'gssapi=none', 'gssapi=integrity' or 'gssapi=confidentiality'"),
        ("nec", "24: expected 'gssapi=none', 'gssapi=integrity' or 'gssapi=confidentiality'"),
        (
            "gssapi=none service=a/b",
            "44: 'a/b' does not fit here; expected the name of a service, up to 63 letters, digits and any of '-_.'"
        ),
        (
            "gssapi=none service=",
            "44: '' does not fit here; expected the name of a service, up to 63 letters, digits and any of '-_.'"
        ),
        ("gssapi=none gssapi=none", "36: this was said already"),
        ("gssapi=none nec nec", "40: this was said already"),
        ("gssapi=none delegate delegate", "45: this was said already"),
        (
            "gssapi=none mutual",
            "36: expected gssapi=none, integrity or confidentiality, service=NAME, nec or delegate"
        ),
        (
            "gssapi=none alice s3cret",
            "36: expected gssapi=none, integrity or confidentiality, service=NAME, nec or delegate"
        ),
    ]) func `Mistakes behind an entry`(words: String, error: String) {
        #expect(errors("[ProxyList]\nsocks5 gw.example 1080 \(words)") == ["line 2, column \(error)"])
    }

    @Test(arguments: [
        (
            "socks5://gw.example?gssapi=none&",
            "33: expected gssapi=none, integrity or confidentiality, service=NAME, nec or delegate"
        ),
        (
            "socks5://gw.example?gssapi=none&password-env=X",
            "33: expected gssapi=none, integrity or confidentiality, service=NAME, nec or delegate"
        ),
        ("socks5://alice:s3cret@gw.example?gssapi=none", "34: expected either user name and password, or GSSAPI"),
        ("socks4://gw.example?gssapi=none", "21: GSSAPI is for proxies of type socks5 with a host and a port"),
        ("http://gw.example:1?gssapi=none", "21: GSSAPI is for proxies of type socks5 with a host and a port"),
        ("socks5+unix:///run/proxy?gssapi=none", "26: GSSAPI is for proxies of type socks5 with a host and a port"),
    ]) func `Mistakes in a URL`(url: String, error: String) {
        #expect(errors("[ProxyList]\n" + url) == ["line 2, column \(error)"])
        #expect(Configuration.parse(proxyURLs: url).errors.map(\.description) == ["column \(error)"])
    }

    @Test func `Another type of proxy is not authenticated with so`() {
        #expect(
            errors("[ProxyList]\nhttp gw.example 1080 gssapi=none")
                == ["line 2, column 22: GSSAPI is for proxies of type socks5 with a host and a port"])
    }

    /// There the words are user and password.
    @Test func `A file of proxychains has no such words`() {
        #expect(
            proxies("socks5 gw.example 1080 gssapi=none x", style: .proxychains)
                == [proxy(.socks5, "gw.example", 1080, "gssapi=none", "x")])
    }

    @Test func `A service has 63 bytes at most`() {
        let longest = String(repeating: "s", count: 63)
        #expect(
            proxies("socks5 gw.example 1080 gssapi=none service=\(longest)") == [Self.secured(.none, longest)])
        #expect(!errors("[ProxyList]\nsocks5 gw.example 1080 gssapi=none service=\(longest)s").isEmpty)
    }
}
