import Addressing
import Foundation
import Testing

@testable import SocksifyCore

@Suite struct ResolvedAddressesTests {
    private func list(_ addresses: String..., family: Int32 = AF_UNSPEC) -> ResolvedAddresses {
        var list = ResolvedAddresses()
        for text in addresses { list.add(address(text), ifOf: family) }
        return list
    }

    private func texts(_ list: ResolvedAddresses) -> [String] {
        (0..<list.count).map { index in text { list[index].write(to: &$0) } }
    }

    @Test func `addresses come in the order in which they were added, each once`() {
        let list = list("192.0.2.2", "2001:db8::1", "192.0.2.1", "192.0.2.2")
        #expect(texts(list) == ["192.0.2.2", "2001:db8::1", "192.0.2.1"])
        #expect(list.isKnown)
        #expect(!ResolvedAddresses().isKnown)
    }

    @Test func `only those of the family are taken, and the name is known all the same`() {
        #expect(texts(list("192.0.2.1", "2001:db8::1", family: AF_INET)) == ["192.0.2.1"])
        #expect(texts(list("192.0.2.1", "2001:db8::1", family: AF_INET6)) == ["2001:db8::1"])
        let none = list("2001:db8::1", family: AF_INET)
        #expect(none.count == 0)
        #expect(none.isKnown)
    }

    @Test func `a list has sixteen addresses at most`() {
        var list = ResolvedAddresses()
        for last in 1...20 { list.addOwn(address("192.0.2.\(last)")) }
        #expect(list.count == 16)
        #expect(texts(list).last == "192.0.2.16")
    }

    @Test func `IPv4 addresses are replaced by another list's, behind those of IPv6`() {
        let list = list("192.0.2.1", "2001:db8::1", "192.0.2.2")
        #expect(texts(list.replacingIPv4(by: self.list("198.51.100.1"))) == ["2001:db8::1", "198.51.100.1"])
    }

    @Test func `a name without an address is known`() {
        var list = ResolvedAddresses()
        list.addNothing()
        #expect(list.isKnown)
        #expect(list.count == 0)
    }

    @Test func `a reserved address is of the family that was asked for, and that of the proxy for either`() {
        let inV4 = names("[ProxyList]\nsocks5 192.0.2.1 1080\n")
        let inV6 = names("[ProxyList]\nsocks5 2001:db8::1 1080\n")
        func isIPv6(_ family: Int32, _ names: borrowing Names) -> Bool? {
            var list = ResolvedAddresses()
            list.addFake(number: 5, family: family, names)
            guard list.count == 1 else { return nil }
            guard case .name(5) = names.meaning(of: list[0]) else { return nil }
            if case .v6 = list[0] { return true }
            return false
        }
        #expect(isIPv6(AF_INET, inV4) == false)
        #expect(isIPv6(AF_INET6, inV4) == true)
        #expect(isIPv6(AF_UNSPEC, inV4) == false)
        #expect(isIPv6(AF_UNSPEC, inV6) == true)
        #expect(isIPv6(AF_INET, inV6) == false)
    }
}
