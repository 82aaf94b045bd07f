import Addressing
import Foundation
import ProxyConfig
import Testing

@testable import SocksifyCore

@Suite struct ProxyAddressesTests {
    private func socketAddress(_ text: String, _ port: UInt16) -> SocketAddress {
        SocketAddress(address: address(text), port: port)
    }

    @Test func `an address of the configuration is known from the start`() {
        let proxies = proxies(
            "random_chain\nchain_len = 1\n[ProxyList]\nsocks5 192.0.2.1 1080\nsocks5 2001:db8::1 1081\n")
        let hops = proxies.proxyAddresses
        #expect(hops.address(of: 0, 0, for: .own) == socketAddress("192.0.2.1", 1080))
        #expect(hops.address(of: 0, 1, for: .own) == nil)
        // The socket has no form for it: another one takes its place.
        #expect(hops.address(of: 1, 0, for: .own) == socketAddress("2001:db8::1", 1081))
        #expect(hops.address(of: 2, 0, for: .own) == nil)
        #expect(hops.address(of: -1, 0, for: .own) == nil)
    }

    @Test func `a connection to a proxy is recognised by address and port, in either form`() {
        let proxies = proxies("strict_chain\n[ProxyList]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080\n")
        let hops = proxies.proxyAddresses
        #expect(hops.matches(socketAddress("192.0.2.1", 1080)))
        #expect(hops.matches(socketAddress("::ffff:192.0.2.1", 1080)))
        #expect(!hops.matches(socketAddress("192.0.2.1", 1081)))
        // Nobody connects to the second of a chain.
        #expect(!hops.matches(socketAddress("192.0.2.2", 1080)))
    }

    @Test func `some address of a proxy is given in the family that a socket is used with`() {
        let (v4, v6) = (SocketAddress.unspecified(AF_INET), SocketAddress.unspecified(AF_INET6))
        let inV4 = proxies("strict_chain\n[ProxyList]\nsocks5 192.0.2.1 1080\n")
        #expect(inV4.proxyAddresses.anyAddress(for: v4) == socketAddress("192.0.2.1", 1080))
        #expect(inV4.proxyAddresses.anyAddress(for: v6) == socketAddress("::ffff:192.0.2.1", 1080))
        #expect(!inV4.proxyAddresses.isIPv6Only)
        let inV6 = proxies("strict_chain\n[ProxyList]\nsocks5 2001:db8::1 1080\n")
        #expect(inV6.proxyAddresses.anyAddress(for: v4) == nil)
        #expect(inV6.proxyAddresses.anyAddress(for: v6) == socketAddress("2001:db8::1", 1080))
        #expect(inV6.proxyAddresses.isIPv6Only)
        let atPath = proxies("strict_chain\n[ProxyList]\nsocks5+unix:///run/tor/socks\n")
        #expect(atPath.proxyAddresses.anyAddress(for: v4) == socketAddress("127.0.0.1", 9))
        #expect(!atPath.proxyAddresses.isIPv6Only)
    }

    @Test func `a name is looked up once, by libc`() {
        let proxies = proxies("strict_chain\n[ProxyList]\nsocks5 localhost 1080\n")
        let hops = proxies.proxyAddresses
        var untried: [Int] = []
        hops.forEachUntried(proxies.configuration) { untried.append($0) }
        #expect(untried == [0])
        #expect(hops.address(of: 0, 0, for: .own) == nil)
        #expect(hops.lookUp(0, proxies.configuration) == .found)
        #expect(hops.address(of: 0, 0, for: .own)?.port == 1080)
        untried = []
        hops.forEachUntried(proxies.configuration) { untried.append($0) }
        #expect(untried == [])
    }
}
