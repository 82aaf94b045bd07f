import Addressing
import Testing

@testable import SharedTables

@Suite struct NamedDestinationsTests {
    typealias Name = NamedDestinations.Name

    let first = Name(number: 1, version: 2, isIPv6: false)
    let second = Name(number: 2, version: 2, isIPv6: true)
    let address = IPAddress.v4(IPv4Address(203, 0, 113, 10))
    let other = IPAddress.v4(IPv4Address(203, 0, 113, 11))
    let third = IPAddress.v4(IPv4Address(203, 0, 113, 12))
    let ipv6 = IPAddress.v6(IPv6Address(high: 0x2001_0db8_0000_0000, low: 0x10))

    @Test func `where nothing was sent to a name, addresses are themselves`() {
        var names = NamedDestinations()
        #expect(names.name(of: address, port: 53) == nil)
        names.sent(to: other, port: 53)
        #expect(names.name(of: address, port: 53) == nil)
    }

    @Test func `what answers is the name that was sent to, from any port and ever after`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 69)
        #expect(names.name(of: address, port: 4711) == first)
        names.sent(to: second, port: 69)
        #expect(names.name(of: address, port: 69) == first)
        #expect(names.name(of: other, port: 69) == second)
    }

    @Test func `an address that was sent to is itself`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        names.sent(to: address, port: 53)
        #expect(names.name(of: address, port: 53) == nil)
        #expect(names.name(of: other, port: 53) == first)
        // The address belongs to the name and is a destination itself; the answer does not show which one it is from.
        names.sent(to: other, port: 53)
        #expect(names.name(of: other, port: 53) == nil)
    }

    @Test func `a name and the address of its host are told apart by the port`() {
        var names = NamedDestinations()
        names.sent(to: address, port: 6881)
        names.sent(to: first, port: 53)
        #expect(names.name(of: address, port: 53) == first)
        #expect(names.name(of: address, port: 6881) == nil)
        // Either may continue from another port.
        #expect(names.name(of: address, port: 4711) == nil)
        names.sent(to: address, port: 4711)
        #expect(names.name(of: address, port: 53) == first)
    }

    @Test func `two names of one host are told apart by the port`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        #expect(names.name(of: address, port: 53) == first)
        names.sent(to: second, port: 123)
        #expect(names.name(of: address, port: 123) == second)
        #expect(names.name(of: address, port: 53) == first)
        #expect(names.name(of: address, port: 4711) == nil)
        // With the same port they are ambiguous.
        names.sent(to: second, port: 53)
        #expect(names.name(of: address, port: 53) == nil)
    }

    @Test func `which of several names with the same port has answered is not guessed`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        #expect(names.name(of: third, port: 53) == first)
        #expect(names.name(of: address, port: 53) == first)
        names.sent(to: second, port: 53)
        names.sent(to: first, port: 53)
        #expect(names.name(of: other, port: 53) == second)
        #expect(names.name(of: address, port: 53) == first)
        // Both are found, and one of them has several addresses.
        #expect(names.name(of: third, port: 53) == nil)
    }

    @Test func `of names that were asked at once none is shown`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        names.sent(to: second, port: 53)
        #expect(names.name(of: ipv6, port: 53) == nil)
        #expect(names.name(of: other, port: 53) == nil)
        #expect(names.name(of: other, port: 4711) == nil)
    }

    @Test func `addresses that were sent to are known with their ports and without`() throws {
        var names = NamedDestinations()
        let addresses = (0..<32).map { IPAddress.v4(IPv4Address(192, 0, 2, $0)) }
        for address in addresses { names.sent(to: address, port: 6881) }
        let known = addresses.count { names.wasSent(to: $0, port: 6881) }
        #expect(known > 20)
        #expect(!names.wasSent(to: address, port: 6881))
        #expect(!names.wasSent(to: try #require(addresses.last), port: 6882))
        #expect(names.wasSent(to: try #require(addresses.last), port: nil))
    }

    @Test func `a port tells names apart`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        names.sent(to: second, port: 123)
        #expect(names.name(of: address, port: 123) == second)
        #expect(names.name(of: other, port: 53) == first)
    }

    @Test func `another port is that of the name that has not answered yet`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        names.sent(to: second, port: 69)
        #expect(names.name(of: address, port: 53) == first)
        #expect(names.name(of: other, port: 4711) == second)
        // All have answered, and nothing shows which one this answer is from.
        #expect(names.name(of: third, port: 4712) == nil)
    }

    @Test func `a name at another port has the address that was found for it`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        #expect(names.name(of: address, port: 53) == first)
        names.sent(to: second, port: 123)
        names.sent(to: first, port: 123)
        #expect(names.name(of: address, port: 123) == first)
        #expect(names.name(of: other, port: 123) == second)
    }

    @Test func `what answers at another port is not a name whose address is known`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        #expect(names.name(of: address, port: 53) == first)
        names.sent(to: first, port: 123)
        names.sent(to: second, port: 123)
        #expect(names.name(of: other, port: 123) == second)
    }

    @Test func `changes are counted, and what is known already is none`() {
        var names = NamedDestinations()
        #expect(names.changes == 0)
        var last = names.changes
        func hasChanged() -> Bool {
            defer { last = names.changes }
            return names.changes != last
        }
        names.sent(to: first, port: 53)
        #expect(hasChanged())
        names.sent(to: first, port: 53)
        #expect(!hasChanged())
        #expect(names.name(of: address, port: 53) == first)
        #expect(hasChanged())
        #expect(names.name(of: address, port: 53) == first)
        #expect(!hasChanged())
        names.sent(to: other, port: 53)
        #expect(hasChanged())
        names.sent(to: other, port: 53)
        #expect(!hasChanged())
        names.forgetAll()
        #expect(hasChanged())
        #expect(names.name(of: address, port: 53) == nil && !names.wasSent(to: other, port: 53))
    }

    @Test func `it is known by which family the program called a name`() {
        var names = NamedDestinations()
        names.sent(to: first, port: 53)
        names.sent(to: second, port: 53)
        #expect(!names.isIPv6(1))
        #expect(names.isIPv6(2))
        #expect(!names.isIPv6(3))
    }

    @Test func `the name that was sent to first is forgotten for a ninth`() {
        var names = NamedDestinations()
        for number in 1...8 as ClosedRange<UInt32> {
            names.sent(to: Name(number: number, version: 2, isIPv6: false), port: UInt16(number))
        }
        #expect(names.name(of: address, port: 1) == Name(number: 1, version: 2, isIPv6: false))
        names.sent(to: Name(number: 9, version: 2, isIPv6: true), port: 9)
        #expect(names.isIPv6(9))
        #expect(names.name(of: other, port: 9) == Name(number: 9, version: 2, isIPv6: true))
        // Its address is free for another.
        #expect(names.name(of: address, port: 2) == Name(number: 2, version: 2, isIPv6: false))
    }
}
