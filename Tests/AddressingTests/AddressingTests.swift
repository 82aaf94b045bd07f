import Addressing
import Testing

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::8:800:200c:417A", "2001:db8::8:800:200c:417a"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("fe80:0:0:0:0:0:0:a", "fe80::a"),
    ])
    func `reads every form of address and writes it canonically`(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    @Test(arguments: [
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", "1.2.3.4 ", "0.1.1.~1", "a.b.c.d",
        ":", ":::", "1:", ":1", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::",
        "::1%lo", "[::1]", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", ":::1", "1:::2",
    ])
    func `refuses what inet_pton refuses`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `an IPv4 network contains IPv4-mapped addresses`() {
        let network = IPNetwork(IPv4Address(10, 0, 0, 0), prefixLength: 8)
        #expect(network.contains(.v4(IPv4Address(10, 255, 0, 1))))
        #expect(network.contains(.v6(IPv6Address(mapping: IPv4Address(10, 1, 2, 3)))))
        #expect(!network.contains(.v4(IPv4Address(11, 0, 0, 1))))
        #expect(!network.contains(.v6(IPv6Address(high: 0, low: 1))))
    }

    @Test func `prefix lengths at both ends of the range`() {
        let everything = IPNetwork(IPv6Address(high: 0, low: 0), prefixLength: 0)
        #expect(everything.contains(.v6(IPv6Address(high: .max, low: .max))))
        let one = IPNetwork(IPv6Address(high: 1, low: 2), prefixLength: 128)
        #expect(one.contains(.v6(IPv6Address(high: 1, low: 2))))
        #expect(!one.contains(.v6(IPv6Address(high: 1, low: 3))))
        #expect(IPNetwork(IPv4Address(0), prefixLength: 0).contains(.v4(IPv4Address(8, 8, 8, 8))))
        #expect(!IPNetwork(IPv4Address(8, 8, 8, 8), prefixLength: 32).contains(.v4(IPv4Address(8, 8, 8, 9))))
    }
}

@Suite struct PrivateAddressTests {
    @Test(arguments: [
        ("10.0.0.0", true), ("10.255.255.255", true), ("9.255.255.255", false), ("11.0.0.0", false),
        ("172.16.0.0", true), ("172.31.255.255", true), ("172.15.255.255", false), ("172.32.0.0", false),
        ("192.168.0.0", true), ("192.168.255.255", true), ("192.167.255.255", false), ("192.169.0.0", false),
        ("169.254.0.0", true), ("169.254.255.255", true), ("169.253.255.255", false), ("169.255.0.0", false),
        ("127.0.0.1", true), ("128.0.0.0", false), ("203.0.113.10", false), ("0.0.0.0", false),
        ("fc00::", true), ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true), ("fbff::", false), ("fe00::", false),
        ("fe80::1", true), ("febf::1", true), ("fec0::1", false), ("::1", true), ("::", false), ("2001:db8::1", false),
        ("::ffff:10.1.2.3", true), ("::ffff:203.0.113.10", false),
    ])
    func `private addresses are those of networks of one's own`(text: String, isPrivate: Bool) throws {
        #expect(try #require(IPAddress(text)).isPrivate == isPrivate)
    }
}

@Suite struct HostNameTests {
    @Test func `takes 1 to 255 bytes`() {
        #expect(HostName("") == nil)
        #expect(HostName(String(repeating: "a", count: 255))?.count == 255)
        #expect(HostName(String(repeating: "a", count: 256)) == nil)
    }

    @Test func `names are equal whatever the case of their letters`() {
        #expect(HostName("Example.TEST") == HostName("example.test"))
        #expect(HostName("example.test") != HostName("example.tesT."))
        #expect(HostName("a[") != HostName("a{"))
    }
}

@Suite struct EndpointTests {
    @Test func `an IPv6 address stands in brackets before the port`() {
        let endpoint = Endpoint(host: .address(.v6(IPv6Address(high: 0, low: 1))), port: 1080)
        #expect(endpoint.description == "[::1]:1080")
    }

    @Test func `a name and an IPv4 address do not`() throws {
        let name = try #require(HostName("example.test"))
        #expect(Endpoint(host: .name(name), port: 0).description == "example.test:0")
        #expect(
            Endpoint(host: .address(.v4(IPv4Address(192, 0, 2, 1))), port: 65535).description == "192.0.2.1:65535")
    }
}
