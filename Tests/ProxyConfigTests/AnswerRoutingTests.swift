import Addressing
import ProxyConfig
import Testing

/// The addresses that lead to this machine or direct when a remote server gives them for a name.
@Suite struct AnswerRoutingTests {
    private func leadsAround(
        _ address: String, name: String = "evil.example", _ globals: String = "", rules: String = ""
    ) -> Bool {
        let parsed = Configuration.parse(
            "\(globals)\n[Rules]\n\(rules)\n[ProxyList]\nsocks5 10.0.0.1 1080\n[Proxies corp]\nsocks5 10.0.0.2 1080")
        #expect(parsed.errors.isEmpty)
        return parsed.configuration.leadsAroundProxies(IPAddress(address)!, name: Array(name.utf8).span)
    }

    @Test(arguments: ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::", "::ffff:0.0.0.0"])
    func `This machine`(address: String) {
        #expect(leadsAround(address))
        // Then the address means the proxy's machine.
        #expect(!leadsAround(address, "loopback proxy"))
    }

    @Test(arguments: ["1.1.1.1", "10.1.1.1", "192.168.1.1", "169.254.1.1", "2001:db8::1", "fe80::1", "fd00::1"])
    func `Whatever goes through the proxies`(address: String) {
        #expect(!leadsAround(address))
    }

    @Test func `Local networks, whatever the port`() {
        let networks = "localnet 10.0.0.0/255.0.0.0\nlocalnet 192.168.0.0:80/16\nlocalnet [fd00::]:80/8"
        #expect(leadsAround("10.1.1.1", networks))
        #expect(leadsAround("::ffff:10.1.1.1", networks))
        #expect(leadsAround("192.168.1.1", networks))
        #expect(leadsAround("fd12::1", networks))
        #expect(!leadsAround("11.1.1.1", networks))
        #expect(leadsAround("127.0.0.1", "loopback proxy\nlocalnet 127.0.0.0/8"))
    }

    @Test func `Networks that a rule sends there, whatever else it looks at`() {
        #expect(leadsAround("10.1.1.1", rules: "direct net 10.0.0.0/8"))
        #expect(leadsAround("10.1.1.1", rules: "direct net 10.0.0.0/8 port 22 proto udp"))
        #expect(leadsAround("10.1.1.1", rules: "block net 10.0.0.0/8 port 1\ndirect net 10.0.0.0/8"))
        #expect(leadsAround("10.1.1.1", rules: "proxy net 10.0.0.0/8 proto tcp\ndirect net 10.0.0.0/8"))
        #expect(leadsAround("10.1.1.1", name: "a.corp.", rules: "direct host .corp net 10.0.0.0/8"))
        #expect(!leadsAround("10.1.1.1", name: "a.other", rules: "direct host .corp net 10.0.0.0/8"))
        #expect(!leadsAround("11.1.1.1", rules: "direct net 10.0.0.0/8"))
        #expect(!leadsAround("10.1.1.1", rules: "direct command bind net 10.0.0.0/8"))
    }

    @Test func `The first rule that surely matches decides`() {
        #expect(!leadsAround("10.1.1.1", name: "a.corp", rules: "proxy corp host .corp\ndirect net 10.0.0.0/8"))
        #expect(!leadsAround("10.1.1.1", rules: "block net 10.1.0.0/16\ndirect net 10.0.0.0/8"))
        #expect(!leadsAround("127.0.0.1", rules: "proxy net 127.0.0.0/8"))
        #expect(!leadsAround("10.1.1.1", "localnet 10.0.0.0/8", rules: "proxy"))
    }

    /// Such rules apply to names or ports, whatever the address is.
    @Test func `Rules without networks send nothing there`() {
        #expect(!leadsAround("1.1.1.1", rules: "direct"))
        #expect(!leadsAround("1.1.1.1", rules: "direct port 25"))
        #expect(leadsAround("127.0.0.1", rules: "direct port 25"))
    }
}
