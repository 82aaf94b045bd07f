import Addressing
import ProxyConfig
import Testing

@Suite struct DatagramRoutingTests {
    /// Without rules datagrams go to the proxy as connections do, an IPv4-mapped address as IPv4.
    @Test func ordinaryDestinations() {
        #expect(route("1.1.1.1") == proxied("1.1.1.1"))
        #expect(route("2001:db8::1") == proxied("2001:db8::1"))
        #expect(route("::ffff:1.1.1.1", 443) == proxied("1.1.1.1", 443))
    }

    /// Destinations that are direct for connections are direct for datagrams, whatever `udp` says.
    @Test(arguments: ["udp associate", "udp block", "udp direct"])
    func directDestinations(policy: String) {
        #expect(route("127.0.0.1", 80, policy) == .direct)
        #expect(route("::1", 80, policy) == .direct)
        #expect(route("0.0.0.0", 80, policy) == .direct)
        #expect(route("10.1.2.3", 80, "\(policy)\nlocalnet 10.0.0.0/8") == .direct)
        #expect(route("10.1.2.3", 80, "\(policy)\nlocalnet 10.0.0.0:80/8") == .direct)
        #expect(route("224.0.0.251", 5353, "\(policy)\nlocalnet 224.0.0.0/4") == .direct)
        #expect(route("255.255.255.255", 67, "\(policy)\nlocalnet 255.255.255.255/32") == .direct)
    }

    @Test func translations() {
        let text = "dnat 1.1.1.1:80 2.2.2.2:8080\ndnat 224.0.0.1 3.3.3.3\ndnat 4.4.4.4 224.0.0.1"
        #expect(route("1.1.1.1", 80, text) == proxied("2.2.2.2", 8080))
        #expect(route("224.0.0.1", 80, text) == proxied("3.3.3.3"))
        #expect(route("4.4.4.4", 80, text) == proxied("224.0.0.1"))
        #expect(route("4.4.4.4", 80, "\(text)\nlocalnet 224.0.0.0/4") == .direct)
        #expect(route("1.1.1.1", 80, "\(text)\nudp block") == .refuse(.udpBlocked))
        #expect(route("1.1.1.1", 80, "\(text)\nudp direct") == .direct)
    }

    @Test(arguments: [
        "224.0.0.0", "224.0.0.251", "239.255.255.255", "::ffff:224.0.0.251", "255.255.255.255",
        "::ffff:255.255.255.255", "ff00::", "ff02::fb", "ffff::1",
    ])
    func multicastAndBroadcast(host: String) {
        #expect(route(host, 5353) == .direct)
        #expect(route(host, 5353, "loopback proxy\ndns local") == .direct)
        #expect(route(host, 5353, "udp direct") == .direct)
        #expect(route(host, 5353, "udp block") == .refuse(.udpBlocked))
    }

    @Test(arguments: ["223.255.255.255", "240.0.0.0", "255.255.255.254", "192.168.1.255", "feff::1", "fe80::1"])
    func neitherMulticastNorBroadcast(host: String) {
        #expect(route(host) == proxied(host))
    }

    /// Multicast is for datagrams alone: a connection there goes to the proxy, which will refuse it.
    @Test func multicastStream() {
        #expect(Configuration().route(to: IPAddress("224.0.0.1")!, port: 80) == proxied("224.0.0.1"))
    }

    @Test func block() {
        #expect(route("1.1.1.1", 443, "udp block") == .refuse(.udpBlocked))
        #expect(route("2001:db8::1", 443, "udp block") == .refuse(.udpBlocked))
        #expect(route("127.0.0.1", 443, "udp block\nloopback proxy") == .refuse(.udpBlocked))
        #expect(route("0.0.0.0", 443, "udp block\nloopback proxy") == .refuse(.unspecifiedAddress))
    }

    @Test func direct() {
        #expect(route("1.1.1.1", 443, "udp direct") == .direct)
        #expect(route("127.0.0.1", 443, "udp direct\nloopback proxy") == .direct)
        #expect(route("0.0.0.0", 443, "udp direct\nloopback proxy") == .direct)
    }

    @Test func loopbackThroughProxy() {
        #expect(route("127.0.0.1", 80, "loopback proxy") == proxied("127.0.0.1"))
        #expect(route("0.0.0.0", 80, "loopback proxy") == .refuse(.unspecifiedAddress))
    }

    /// A reserved address without a name leads nowhere, also among the multicast addresses.
    @Test(arguments: ["udp associate", "udp block", "udp direct"])
    func reservedAddresses(policy: String) {
        #expect(route("198.18.0.1", 80, policy) == .refuse(.unknownName))
        #expect(route("224.0.0.251", 5353, "\(policy)\nremote_dns_subnet 224") == .refuse(.unknownName))
        #expect(route("ff02::fb", 5353, "remote_dns_subnet 224") == .direct)
        #expect(route("225.0.0.1", 5353, "remote_dns_subnet 224") == .direct)
        #expect(route("224.0.0.251", 5353, "remote_dns_subnet 224\ndns local") == .direct)
        #expect(route("255.255.255.255", 67, "\(policy)\nremote_dns_subnet 255") == .refuse(.unknownName))
    }

    private func route(_ host: String, _ port: UInt16 = 80, _ text: String = "") -> Route? {
        flawless(text + "\n[ProxyList]\nsocks5 10.0.0.1 1080")?.routeDatagram(to: IPAddress(host)!, port: port)
    }

    private func proxied(_ host: String, _ port: UInt16 = 80) -> Route {
        .proxy(list: 0, address: IPAddress(host)!, port: port)
    }
}

@Suite struct AnsweredNamesTests {
    /// The library answers queries itself, wherever the server is, also on this machine or near it.
    @Test(arguments: ["dns fake", "dns tor", "dns tcp 9.9.9.9"])
    func everyServer(mode: String) {
        for host in ["1.1.1.1", "2001:db8::1", "127.0.0.53", "::1", "10.0.0.1", "0.0.0.0", "198.18.0.1"] {
            #expect(answers(host, 53, mode) == true)
            #expect(answers(host, 53, "\(mode)\nloopback proxy\nlocalnet 10.0.0.0/8\nlocalnet ::/0") == true)
            #expect(answers(host, 54, mode) == false)
            #expect(answers(host, 5353, mode) == false)
        }
    }

    @Test func resolverOfThisMachine() {
        #expect(answers("1.1.1.1", 53, "dns local") == false)
        #expect(answers("127.0.0.53", 53, "dns local") == false)
    }

    /// A localnet with a server's port leaves the queries to the server; a localnet for every port does not.
    @Test func namedServer() {
        let text = "localnet 10.0.0.0:53/8\nlocalnet [fd00::]:53/8\nlocalnet 11.0.0.0:80/8\nlocalnet 12.0.0.0/8"
        #expect(answers("10.0.0.1", 53, text) == false)
        #expect(answers("::ffff:10.0.0.1", 53, text) == false)
        #expect(answers("fd00::1", 53, text) == false)
        #expect(answers("11.0.0.1", 53, text) == true)
        #expect(answers("12.0.0.1", 53, text) == true)
    }

    /// Queries to the local link are not for a server; but a reserved address stands for a server anywhere.
    @Test func multicast() {
        #expect(answers("224.0.0.251", 53) == false)
        #expect(answers("ff02::fb", 53) == false)
        #expect(answers("224.0.0.251", 53, "remote_dns_subnet 224") == true)
        #expect(answers("224.0.0.251", 53, "remote_dns_subnet 224\ndns tor") == true)
        #expect(answers("224.0.0.251", 53, "remote_dns_subnet 224\ndns tcp 9.9.9.9") == false)
        #expect(answers("225.0.0.251", 53, "remote_dns_subnet 224") == false)
    }

    private func answers(_ host: String, _ port: UInt16, _ text: String = "") -> Bool? {
        flawless(text)?.answersNames(at: IPAddress(host)!, port: port)
    }
}
