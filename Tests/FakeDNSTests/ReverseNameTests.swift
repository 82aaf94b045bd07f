import Addressing
import FakeDNS
import Testing

@Suite struct ReverseNameTests {
    @Test(arguments: [
        ("1.2.0.192.in-addr.arpa", "192.0.2.1"), ("255.0.0.127.IN-ADDR.ARPA", "127.0.0.255"),
        (
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "2001:db8::1"
        ),
        (
            "F.e.D.c.b.a.9.8.7.6.5.4.3.2.1.0.0.1.2.3.4.5.6.7.8.9.a.b.c.d.e.f.Ip6.ARPA",
            "fedc:ba98:7654:3210:123:4567:89ab:cdef"
        ),
    ])
    func `a reverse name has the address's parts, the last one first`(name: String, text: String) throws {
        let address = try FakeDNSTests.address(text)
        #expect(self.address(of: name) == address)
        #expect(isInDomain(name))
        var written: [UInt8] = []
        ReverseName.write(for: address, to: &written)
        #expect(String(decoding: written, as: UTF8.self) == name.lowercased())
    }

    @Test(arguments: [
        "in-addr.arpa", "2.0.192.in-addr.arpa", "0.1.2.0.192.in-addr.arpa", "01.2.0.192.in-addr.arpa",
        "256.2.0.192.in-addr.arpa", "a.2.0.192.in-addr.arpa", "0-127.2.0.192.in-addr.arpa", "1.2.0.192..in-addr.arpa",
        "ip6.arpa", "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        "1-0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
    ])
    func `a name of the domains that is no address's`(name: String) {
        #expect(address(of: name) == nil)
        #expect(isInDomain(name))
    }

    @Test(arguments: ["arpa", "web.test", "1.2.0.192.xin-addr.arpa", "1.2.0.192.in-addr.arpa.test", "xip6.arpa"])
    func `a name of another domain`(name: String) {
        #expect(address(of: name) == nil)
        #expect(!isInDomain(name))
    }

    private func address(of name: String) -> IPAddress? {
        ReverseName.address(of: Array(name.utf8).span)
    }

    private func isInDomain(_ name: String) -> Bool {
        ReverseName.isInDomain(Array(name.utf8).span)
    }
}
