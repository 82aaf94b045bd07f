import ProxyConfig
import Testing

@testable import SocksifyCore

@Suite struct FingerprintTests {
    private func configuration(_ text: String) -> Configuration {
        let proxies = proxies(text)
        return proxies.configuration
    }

    @Test func `a proxy has the same in every configuration, whoever asks by whatever name`() {
        let one = configuration("[ProxyList]\nsocks5 192.0.2.1 1080\nhttp 192.0.2.2 3128\n")
        let other = configuration("[ProxyList]\nhttp 192.0.2.2 3128\nsocks5 192.0.2.1 1080 user secret\n")
        #expect(Fingerprint(one.proxies[0]).value == Fingerprint(other.proxies[1]).value)
        #expect(Fingerprint(one.proxies[1]).value == Fingerprint(other.proxies[0]).value)
    }

    @Test func `type, address and port tell proxies apart`() {
        let text = """
            [ProxyList]
            socks5 192.0.2.1 1080
            socks4 192.0.2.1 1080
            http 192.0.2.1 1080
            raw 192.0.2.1 1080
            socks5 192.0.2.2 1080
            socks5 192.0.2.1 1081
            socks5 proxy.example 1080

            """
        let values = configuration(text).proxies.map { Fingerprint($0).value }
        #expect(Set(values).count == 7)
        #expect(values.allSatisfy { $0 >= 2 })
    }

    @Test func `a list is its name and what stands in it, in order`() {
        let lists = [
            "[Proxies a]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080\n",
            "[Proxies b]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080\n",
            "[Proxies a]\nsocks5 192.0.2.2 1080\nsocks5 192.0.2.1 1080\n",
            "[Proxies a]\nsocks5 192.0.2.1 1080\n",
        ]
        func values(behind first: String) -> [UInt64] {
            lists.map { list in
                let configuration = configuration("[ProxyList]\n\(first)\n\(list)")
                return Fingerprint(configuration.lists[1], configuration).value
            }
        }
        let values = (values(behind: "socks5 192.0.2.9 1080"), values(behind: "raw 192.0.2.8 80\nraw 192.0.2.7 80"))
        #expect(Set(values.0).count == 4)
        // Wherever its proxies stand in the configuration.
        #expect(values.0 == values.1)
    }
}
