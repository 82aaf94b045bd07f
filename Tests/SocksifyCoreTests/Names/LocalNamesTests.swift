import Addressing
import Foundation
import Testing

@testable import SocksifyCore

@Suite struct LocalNamesTests {
    private let ruled = "[ProxyList]\nsocks5 192.0.2.1 1080\n[Rules]\ndirect host .example\n"

    @Test func `an address is the name's that it was given out for`() {
        let names = names(ruled)
        let known = number(of: "a.example", names)
        #expect(LocalNames.number(of: address("203.0.113.7"), names) == nil)
        LocalNames.remember(address("203.0.113.7"), of: known, names)
        #expect(LocalNames.number(of: address("203.0.113.7"), names) == known)
        #expect(LocalNames.number(of: address("203.0.113.8"), names) == nil)
    }

    @Test func `it is forgotten where no rule names a host`() {
        let names = names("[ProxyList]\nsocks5 192.0.2.1 1080\n")
        let known = number(of: "a.example", names)
        LocalNames.remember(address("203.0.113.7"), of: known, names)
        #expect(LocalNames.number(of: address("203.0.113.7"), names) == nil)
    }

    @Test func `a number that nobody has is no name's`() {
        let names = names(ruled)
        LocalNames.remember(address("203.0.113.7"), of: 40, names)
        #expect(LocalNames.number(of: address("203.0.113.7"), names) == nil)
    }

    @Test func `an address of this machine's own name or of localhost is known`() {
        let names = names(ruled)
        guard case .addresses(let list) = names.known(hostName("localhost"), family: AF_INET) else {
            Issue.record("localhost is not known")
            return
        }
        #expect(list.count > 0)
        #expect(list[0] == address("127.0.0.1"))
        #expect(list.isOfThisMachine)
    }
}
