import FakeDNS
import Testing

@Suite struct NameSyntaxTests {
    @Test(arguments: [
        "a", "web.test", "WEB.TEST", "a.b.c.d.e", "xn--bcher-kva.example", "_dmarc.example", "1.example", "example.",
        "a-b.c", "3com", String(repeating: "l", count: 63) + ".test", "invalid.example", "notinvalid",
        String(repeating: "abcdefg.", count: 31) + "abcde",
    ])
    func `names that a resolver could find`(name: String) {
        #expect(isResolvable(name))
    }

    @Test(arguments: [
        "", ".", "..", "a..b", ".a", "a..", "0.1.1.~1", "fe80::1%eth0", "::1", "1.2.3.4.5", "999.1.1.1", "12345",
        "x.invalid", "INVALID", "x.invalid.", "a b", "a/b", "a@b", "bücher.example", "a\u{0}b",
        String(repeating: "l", count: 64) + ".test", String(repeating: "abcdefg.", count: 31) + "abcdef",
    ])
    func `what cannot be a name gets no address`(name: String) {
        #expect(!isResolvable(name))
    }

    @Test func `localhost and the names below it are this machine`() {
        for name in ["localhost", "LocalHost", "localhost.", "www.localhost"] {
            #expect(isLocalhost(name), "\(name)")
        }
        for name in ["localhost.example", "mylocalhost", "local", ""] {
            #expect(!isLocalhost(name), "\(name)")
        }
    }

    @Test func `Names of hosts elsewhere are handed on, and no others`() {
        for name in ["web.test", "a", "_a-b.1c.test"] { #expect(isOfHostElsewhere(name), "\(name)") }
        let others = [
            "", "localhost", "a.localhost.", "127.0.0.1", "::1", "a b", "x\n\u{1b}[31mroot", "$(id).test", "it's.test",
            "a\u{0}b", "a.invalid", "2130706433",
        ]
        for name in others { #expect(!isOfHostElsewhere(name), "\(name)") }
    }

    private func isOfHostElsewhere(_ name: String) -> Bool {
        NameSyntax.isOfHostElsewhere(Array(name.utf8).span)
    }

    private func isLocalhost(_ name: String) -> Bool {
        NameSyntax.isLocalhost(Array(name.utf8).span)
    }

    private func isResolvable(_ name: String) -> Bool {
        NameSyntax.isResolvable(Array(name.utf8).span)
    }
}
