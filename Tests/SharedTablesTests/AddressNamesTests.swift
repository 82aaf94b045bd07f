import Addressing
import SharedTables
import TableMemory
import Testing

@Suite struct AddressNamesTests {
    typealias Names = AddressNames<ReadyMemory>

    private func names(capacity: Int = 4096) -> Names {
        Names(memory: ReadyMemory(base: zeroedMemory(Names.size(capacity: capacity))), capacity: capacity)
    }

    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test func `an address leads to the name that it was given out for, whatever form it has`() throws {
        let names = names()
        let (first, second) = (Names.Name(number: 0, version: 2), Names.Name(number: .max, version: .max))
        names.insert(first, for: try address("192.0.2.1"))
        names.insert(second, for: try address("2001:db8::1"))
        #expect(names.name(of: try address("192.0.2.1")) == first)
        #expect(names.name(of: try address("::ffff:192.0.2.1")) == first)
        #expect(names.name(of: try address("2001:db8::1")) == second)
        #expect(names.name(of: try address("192.0.2.2")) == nil)
        #expect(names.name(of: try address("2001:db8::2")) == nil)
    }

    @Test func `an address of several names is that of the last`() throws {
        let names = names()
        names.insert(Names.Name(number: 1, version: 2), for: try address("192.0.2.1"))
        names.insert(Names.Name(number: 2, version: 2), for: try address("192.0.2.1"))
        #expect(names.name(of: try address("192.0.2.1")) == Names.Name(number: 2, version: 2))
    }

    @Test func `a thousand addresses of one network have room, and none has another's name`() {
        let names = names()
        for number in 0..<1000 as Range<UInt32> {
            names.insert(Names.Name(number: number, version: 2), for: .v4(IPv4Address(0x0a00_0000 + number)))
        }
        for number in 0..<1000 as Range<UInt32> {
            let name = names.name(of: .v4(IPv4Address(0x0a00_0000 + number)))
            #expect(name == Names.Name(number: number, version: 2))
        }
    }

    @Test func `where there is no room the oldest are forgotten, and nothing is confused`() {
        let names = names(capacity: 8)
        for number in 0..<100 as Range<UInt32> {
            names.insert(Names.Name(number: number, version: 2), for: .v4(IPv4Address(number)))
        }
        for number in 0..<100 as Range<UInt32> {
            let name = names.name(of: .v4(IPv4Address(number)))
            #expect(name == (number < 92 ? nil : Names.Name(number: number, version: 2)))
        }
    }
}
