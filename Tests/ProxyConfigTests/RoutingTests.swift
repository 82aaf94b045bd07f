import Addressing
import ProxyConfig
import Testing

@Suite struct RoutingTests {
    private func route(_ host: String, _ port: UInt16 = 80, _ text: String = "") -> Route? {
        guard let configuration = flawless(text + "\n[ProxyList]\nsocks5 10.0.0.1 1080") else { return nil }
        return configuration.route(to: IPAddress(host)!, port: port)
    }

    private func proxied(_ host: String, _ port: UInt16 = 80) -> Route {
        .proxy(list: 0, address: IPAddress(host)!, port: port)
    }

    /// Without rules everything goes to the proxy, an IPv4-mapped address as IPv4.
    @Test func ordinaryDestinations() {
        #expect(route("1.1.1.1") == proxied("1.1.1.1"))
        #expect(route("10.1.2.3") == proxied("10.1.2.3"))
        #expect(route("2001:db8::1") == proxied("2001:db8::1"))
        #expect(route("::ffff:1.1.1.1") == proxied("1.1.1.1"))
    }

    @Test(arguments: ["127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"])
    func loopback(host: String) {
        #expect(route(host) == .direct)
        #expect(
            route(host, 80, "loopback proxy")
                == .proxy(list: 0, address: IPAddress(host)!.unmapped, port: 80))
        #expect(route(host, 80, "loopback proxy\nlocalnet 127.0.0.0/8\nlocalnet ::1/128") == .direct)
    }

    /// Addresses that mean this machine to Linux are treated as loopback addresses are; no localnet changes that.
    @Test(arguments: ["0.0.0.0", "::", "::ffff:0.0.0.0"])
    func unspecified(host: String) {
        #expect(route(host) == .direct)
        #expect(
            route(host, 80, "loopback proxy\nlocalnet 0.0.0.0/0\nlocalnet ::/0")
                == .refuse(.unspecifiedAddress))
    }

    @Test func localNetworks() {
        let text =
            """
            localnet 10.0.0.0/8
            localnet 192.168.0.0:22/16
            localnet [fd00::]:80/8
            localnet 172.16.0.0/255.255.0.255
            """
        #expect(route("10.255.0.1", 1, text) == .direct)
        #expect(route("::ffff:10.255.0.1", 1, text) == .direct)
        #expect(route("11.0.0.1", 1, text) == proxied("11.0.0.1", 1))
        #expect(route("192.168.3.4", 22, text) == .direct)
        #expect(route("192.168.3.4", 23, text) == proxied("192.168.3.4", 23))
        #expect(route("fd12::1", 80, text) == .direct)
        #expect(route("fd12::1", 81, text) == proxied("fd12::1", 81))
        #expect(route("fe00::1", 80, text) == proxied("fe00::1", 80))
        #expect(route("172.16.9.0", 1, text) == .direct)
        #expect(route("172.16.9.1", 1, text) == proxied("172.16.9.1", 1))
        #expect(route("1.1.1.1", 1, "localnet 0.0.0.0/0") == .direct)
        #expect(route("::1:1", 1, "localnet 0.0.0.0/0") == proxied("::1:1", 1))
        #expect(route("::1:1", 1, "localnet ::/0") == .direct)
    }

    /// A translation for the port precedes one for every port, in any order; of several, the first counts.
    @Test func translations() {
        let text =
            """
            dnat 1.1.1.1 2.2.2.2
            dnat 1.1.1.1:80 3.3.3.3:8080
            dnat 1.1.1.1 4.4.4.4
            dnat 1.1.1.1:80 5.5.5.5
            dnat 9.9.9.9:53 8.8.8.8
            """
        #expect(route("1.1.1.1", 80, text) == proxied("3.3.3.3", 8080))
        #expect(route("1.1.1.1", 81, text) == proxied("2.2.2.2", 81))
        #expect(route("::ffff:1.1.1.1", 81, text) == proxied("2.2.2.2", 81))
        #expect(route("9.9.9.9", 53, text) == proxied("8.8.8.8", 53))
        #expect(route("9.9.9.9", 54, text) == proxied("9.9.9.9", 54))
        #expect(route("2.2.2.2", 54, "dnat 1.1.1.1 2.2.2.2\ndnat 2.2.2.2 3.3.3.3") == proxied("3.3.3.3", 54))
        #expect(route("1.1.1.1", 54, "dnat 1.1.1.1 2.2.2.2\ndnat 2.2.2.2 3.3.3.3") == proxied("2.2.2.2", 54))
    }

    /// The translated address and port decide whether a destination is local; the connection goes to the named one.
    @Test func translatedIntoLocalNetwork() {
        let text = "dnat 1.1.1.1:80 10.0.0.5:81\nlocalnet 10.0.0.0:81/8"
        #expect(route("1.1.1.1", 80, text) == .direct)
        #expect(route("10.0.0.5", 80, text) == proxied("10.0.0.5", 80))
        #expect(route("1.1.1.1", 80, "dnat 1.1.1.1 2.2.2.2\nlocalnet 1.1.1.1/32") == proxied("2.2.2.2", 80))
    }

    /// An address that a translation turns into a loopback address still goes through the proxy. Translation also
    /// applies to loopback addresses.
    @Test func translatedLoopback() {
        #expect(route("1.1.1.1", 80, "dnat 1.1.1.1 127.0.0.1") == proxied("127.0.0.1"))
        #expect(route("127.0.0.1", 80, "dnat 127.0.0.1:80 1.1.1.1") == proxied("1.1.1.1"))
        #expect(route("127.0.0.1", 81, "dnat 127.0.0.1:80 1.1.1.1") == .direct)
        #expect(route("0.0.0.0", 80, "loopback proxy\ndnat 0.0.0.0 1.1.1.1") == .refuse(.unspecifiedAddress))
    }

    /// A reserved address without a name leads nowhere, whatever the configuration says about it.
    @Test func reservedAddresses() {
        let text = "dnat 198.18.0.1 1.1.1.1\nlocalnet 0.0.0.0/0"
        #expect(route("198.18.0.1", 80, text) == .refuse(.unknownName))
        #expect(route("::ffff:198.19.255.255") == .refuse(.unknownName))
        #expect(route("198.20.0.0") == proxied("198.20.0.0"))
        #expect(route("198.18.0.1", 80, "dns local") == proxied("198.18.0.1"))
        #expect(route("198.18.0.1", 80, "remote_dns_subnet 10") == proxied("198.18.0.1"))
        #expect(route("10.9.9.9", 80, "remote_dns_subnet 10") == .refuse(.unknownName))
    }
}
