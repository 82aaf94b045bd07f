import Addressing
import Foundation
import ProxyConfig
import Testing

@testable import SocksifyCore

@Suite struct RoutedDestinationTests {
    private let text = """
        loopback direct
        [ProxyList]
        socks5 192.0.2.1 1080
        [Rules]
        direct host direct.example
        block host blocked.example
        block unreachable host unreachable.example
        direct net 198.51.100.0/24
        proxy host .example

        """

    /// Where something goes, in a word.
    private func way(_ address: IPAddress, _ names: borrowing Names) -> String {
        switch RoutedDestination.of(address, port: 443, .connect, names) {
        case .direct: "direct"
        case .directToName(let number, _): "direct to \(number)"
        case .refuse(let errno): "refused \(errno.code)"
        case .proxy(let list, let address, let port): "list \(list) to \(SocksifyCoreTests.text(address.write)):\(port)"
        case .proxyToName(let list, let number): "list \(list) to \(number)"
        }
    }

    @Test func `an address goes by the rules for addresses`() {
        let names = names(text)
        #expect(way(address("198.51.100.7"), names) == "direct")
        #expect(way(address("203.0.113.7"), names) == "list 0 to 203.0.113.7:443")
        #expect(way(address("127.0.0.1"), names) == "direct")
    }

    @Test func `a reserved address goes by the rules for its name`() {
        let names = names(text)
        let (direct, blocked) = (number(of: "direct.example", names), number(of: "blocked.example", names))
        let (unreachable, other) = (number(of: "unreachable.example", names), number(of: "www.example", names))
        for isIPv6 in [false, true] {
            func reserved(_ number: UInt32, _ names: borrowing Names) -> IPAddress {
                isIPv6 ? .v6(names.fakeAddresses.ipv6(number: number)) : .v4(names.fakeAddresses.ipv4(number: number))
            }
            #expect(way(reserved(direct, names), names) == "direct to \(direct)")
            #expect(way(reserved(blocked, names), names) == "refused \(ECONNREFUSED)")
            #expect(way(reserved(unreachable, names), names) == "refused \(EHOSTUNREACH)")
            #expect(way(reserved(other, names), names) == "list 0 to \(other)")
            // Nobody knows the name: it may have been forgotten.
            #expect(way(reserved(other + 1, names), names) == "refused \(EHOSTUNREACH)")
        }
    }

    @Test func `an address that was given out for a name goes by the rules for the name`() {
        let names = names(text)
        let address = address("203.0.113.7")
        let direct = number(of: "direct.example", names)
        LocalNames.remember(address, of: direct, names)
        #expect(way(address, names) == "direct")
        #expect(way(SocksifyCoreTests.address("203.0.113.8"), names) == "list 0 to 203.0.113.8:443")
        // It is the last one's to which it was given out.
        let blocked = number(of: "blocked.example", names)
        LocalNames.remember(address, of: blocked, names)
        #expect(way(address, names) == "refused \(ECONNREFUSED)")
    }
}
