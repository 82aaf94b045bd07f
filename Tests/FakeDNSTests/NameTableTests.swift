import Addressing
import FakeDNS
import Foundation
import Synchronization
import TableMemory
import Testing

@Suite struct NameTableTests {
    @Test func `a name keeps its number, whatever the case of its letters`() {
        withTable(capacity: 100) { table in
            guard let first = table.number(of: name("web.test")) else {
                Issue.record("no number")
                return
            }
            #expect(table.number(of: name("WEB.test")) == first)
            #expect(table.number(of: name("other.test")) != first)
            #expect(table.name(of: first)?.description == "web.test")
        }
    }

    @Test func `a number that was never given out has no name`() {
        withTable(capacity: 100) { table in
            _ = table.number(of: name("web.test"))
            #expect(table.name(of: 50) == nil)
            #expect(table.holds(0))
            #expect(!table.holds(50) && !table.holds(100) && !table.holds(.max))
            #expect(table.name(of: 100) == nil)
            #expect(table.name(of: .max) == nil)
        }
    }

    @Test func `a full table has no number for another name while all were used in the last ten minutes`() {
        withTable(capacity: 16) { table in
            for index in 0..<16 { #expect(table.number(of: name("n\(index)"), at: 1001) == UInt32(index)) }
            #expect(table.isFull)
            for now in [1001, 1002, 1601] as [UInt32] {
                #expect(table.number(of: name("new"), at: now) == nil)
                #expect(table.number(of: name("n9"), at: 1001) == 9)
            }
            for index in 0..<16 { #expect(table.name(of: UInt32(index), at: 1001)?.description == "n\(index)") }
        }
    }

    @Test func `the number that was unused for ten minutes is given out again, and no other`() {
        withTable(capacity: 16) { table in
            for index in 0..<16 { #expect(table.number(of: name("n\(index)"), at: 1001) == UInt32(index)) }
            // A look-up counts as a use, and so does a connection.
            for index in 0..<16 where index % 2 == 0 && index != 4 {
                #expect(table.number(of: name("n\(index)"), at: 1501) == UInt32(index))
            }
            for index in 0..<16 where index % 2 == 1 { #expect(table.name(of: UInt32(index), at: 1501) != nil) }
            let before = table.version(of: 4)
            #expect(table.number(of: name("new"), at: 1602) == 4)
            #expect(table.version(of: 4) != before)
            #expect(table.number(of: name("newer"), at: 1602) == nil)
            #expect(table.name(of: 4, at: 1602)?.description == "new")
            // The replaced name is new again.
            #expect(table.number(of: name("n4"), at: 1602) == nil)
            #expect(table.number(of: name("n4"), at: 2102) == 5)
        }
    }

    @Test func `a time to come keeps a number, and a clock that goes round is no reason to lose one`() {
        withTable(capacity: 1) { table in
            #expect(table.number(of: name("first"), at: 5001) == 0)
            #expect(table.number(of: name("second"), at: 1) == nil)
            #expect(table.name(of: 0, at: .max) != nil)
            #expect(table.number(of: name("second"), at: 599) == nil)
            #expect(table.number(of: name("second"), at: 600) == 0)
        }
    }

    @Test func `numbers begin where the table drew that they do, and go round`() throws {
        let table = SharedTable(capacity: 100, numberCount: 131_070, random: 0x1234_5678_9abc_def0)
        let numbers = (0..<100).compactMap { table.table.number(of: name("n\($0)")) }
        let first = UInt32((0x1234_5678_9abc_def0 as UInt64 >> 24) % 131_070)
        #expect(numbers == (0..<100).map { (first + UInt32($0)) % 131_070 })
        for (index, number) in numbers.enumerated() { #expect(table.table.name(of: number) == name("n\(index)")) }
        #expect(table.table.name(of: first - 1) == nil && table.table.name(of: first + 100) == nil)
        #expect(table.table.name(of: 131_070) == nil)
        // The first name has the greatest number.
        let last = SharedTable(capacity: 4, numberCount: 4, random: 3 << 24)
        #expect((0..<4).compactMap { last.table.number(of: name("n\($0)")) } == [3, 0, 1, 2])
        #expect((0..<4).map { last.table.name(of: $0)?.description } == ["n1", "n2", "n3", "n0"])
    }

    @Test func `who comes to a table takes what was drawn for it, and nothing that was damaged`() throws {
        let table = SharedTable(capacity: 16, numberCount: 1000, random: 7 << 24)
        let number = try #require(table.table.number(of: name("web.test")))
        let other = try #require(
            NameTable(memory: ReadyMemory(base: table.memory), capacity: 16, numberCount: 1000, random: 9 << 24))
        #expect(other.number(of: name("web.test")) == number)
        for damage in [0, 1, 7 << 24, 8 << 24 | 1, 1 << 63, .max] as [UInt64] {
            table.memory.storeBytes(of: damage, toByteOffset: 8, as: UInt64.self)
            #expect(
                NameTable(memory: ReadyMemory(base: table.memory), capacity: 16, numberCount: 1000, random: 9 << 24)
                    == nil, "\(damage)")
        }
        #expect(table.table.name(of: number) == name("web.test"))
    }

    @Test func `whatever a word of the table becomes, no number leads to another name`() throws {
        let table = SharedTable(capacity: 80, numberCount: 1000, random: 990 << 24)
        let names = (0..<70).map { name("n\($0).test") }
        let numbers = names.compactMap { table.table.number(of: $0) }
        let size = NameTable<ReadyMemory>.size(capacity: 80)
        let words = table.memory.bindMemory(to: UInt64.self, capacity: size / 8)
        for word in 0..<size / 8 {
            let before = words[word]
            for value in [0, 1, before &+ 1, before ^ 1 << 9, 1 << 63, .max] as [UInt64] {
                words[word] = value
                for (number, name) in zip(numbers, names) {
                    let found = table.table.name(of: number)
                    if found != nil, found != name { Issue.record("\(word) as \(value): \(number) is another name") }
                }
                if let new = table.table.number(of: name("new.test")), let found = table.table.name(of: new) {
                    if found != name("new.test") { Issue.record("\(word) as \(value): a new name is another") }
                    if numbers.contains(new) { Issue.record("\(word) as \(value): \(new) was in use") }
                }
                // The new name has taken other words, which were free.
                words[word] = before
            }
        }
    }

    @Test func `a full table has no number for another name, whatever word is lost`() throws {
        let table = SharedTable(capacity: 16)
        for index in 0..<16 { #expect(table.table.number(of: name("n\(index)")) == UInt32(index)) }
        let size = NameTable<ReadyMemory>.size(capacity: 16)
        let words = table.memory.bindMemory(to: UInt32.self, capacity: size / 4)
        for word in 0..<size / 4 where words[word] != 0 {
            let before = words[word]
            words[word] = 0
            #expect(table.table.number(of: name("new")) == nil, "\(word)")
            words[word] = before
        }
        for index in 0..<16 { #expect(table.table.name(of: UInt32(index)) == name("n\(index)")) }
    }

    @Test func `names of 1 and of 255 bytes are held whole`() {
        withTable(capacity: 4) { table in
            let long = name(String(repeating: "x", count: 255))
            let short = name("y")
            #expect(table.number(of: long).flatMap { table.name(of: $0) } == long)
            #expect(table.number(of: short).flatMap { table.name(of: $0) } == short)
        }
    }

    @Test func `a large table gives every name a number of its own and finds it again`() {
        withTable(capacity: 60_000) { table in
            for index in 0..<50_000 { #expect(table.number(of: name("host\(index).test")) == UInt32(index)) }
            for index in 0..<50_000 { #expect(table.name(of: UInt32(index)) == name("host\(index).test")) }
        }
    }

    @Test func `the last names are found again, however many there were before`() {
        withTable(capacity: 60_000) { table in
            var numbers: [UInt32?] = []
            for index in 0..<5000 {
                numbers.append(table.number(of: name("host\(index).test")))
                // As many names as the index holds when all of them have the same hash bucket.
                for last in max(index - 7, 0)...index
                where table.number(of: name("host\(last).test")) != numbers[last] {
                    Issue.record("host\(last) is lost behind host\(index)")
                    return
                }
            }
            #expect(numbers == (0..<5000).map { UInt32($0) })
        }
    }

    @Test func `nearly all names are found again among many`() {
        withTable(capacity: 60_000) { table in
            for index in 0..<20_000 { _ = table.number(of: name("host\(index).test")) }
            let found = (0..<20_000).count { table.number(of: name("host\($0).test")) == UInt32($0) }
            #expect(found > 19_600)
        }
    }

    @Test func `threads that replace each other's names never read a mixture`() async throws {
        let table = SharedTable(capacity: 8)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 {
                group.addTask {
                    for round in 0..<20_000 {
                        let length = 1 + (task * 7919 + round) % 250
                        let letter = UInt8(97 + length % 26)
                        guard let name = HostName([UInt8](repeating: letter, count: length).span) else { return false }
                        // Each name comes after all the others have been unused for long.
                        let now = UInt32(truncatingIfNeeded: round &* 1000)
                        guard let number = table.table.number(of: name, at: now),
                            let read = table.table.name(of: number, at: now)
                        else { continue }
                        let bytes = read.bytes
                        for index in bytes.indices where bytes[index] != UInt8(97 + bytes.count % 26) { return false }
                    }
                    return true
                }
            }
            for await good in group { #expect(good) }
        }
    }

    /// Continues until names were replaced during enough reads.
    @Test func `a name that is replaced while it is read is never read as a mixture`() {
        let table = SharedTable(capacity: 8)
        let isOver = Flag()
        let writer = Thread {
            var round = 0
            while !isOver.isSet.load(ordering: .relaxed) {
                _ = table.table.number(
                    of: name(ofLength: 1 + round % 250), at: UInt32(truncatingIfNeeded: round &* 1000))
                round += 1
            }
        }
        writer.start()
        defer { isOver.isSet.store(true, ordering: .relaxed) }
        var replaced = 0
        while replaced < 200 {
            let version = table.table.version(of: 0)
            let read = table.table.name(of: 0)
            if version != table.table.version(of: 0) { replaced += 1 }
            guard let read else { continue }
            guard read == name(ofLength: read.count) else {
                Issue.record("a mixture: \(read)")
                return
            }
        }
    }

    @Test func `a slot whose writer ended in the middle is passed over`() throws {
        let table = SharedTable(capacity: 16)
        let slots = NameTable<ReadyMemory>.size(capacity: 16) - 16 * 272
        // An odd sequence number.
        (table.memory + slots + 272).storeBytes(of: 1, as: UInt64.self)
        for (index, number) in [0, 2, 3].enumerated() as EnumeratedSequence<[UInt32]> {
            #expect(table.table.number(of: name("n\(index)")) == number)
        }
        #expect(table.table.name(of: 1) == nil)
    }

    @Test func `a few names take one page beside that of their slots`() {
        let memory = PagedMemory(size: NameTable<PagedMemory>.size(capacity: 65_536))
        let table = memory.table
        #expect(table.number(of: name("first.test")) == 0)
        #expect(memory.pages.count == 2)
        for index in 1..<192 { #expect(table.number(of: name("n\(index)")) == UInt32(index)) }
        #expect(table.number(of: name("n191")) == 191)
        // 192 slots of 272 bytes, which need not begin at a page.
        #expect(memory.pages.count <= 1 + 13 + 1)
    }

    @Test func `asking for numbers that were not given out takes no memory`() {
        let memory = PagedMemory(size: NameTable<PagedMemory>.size(capacity: 65_536))
        let table = memory.table
        _ = table.number(of: name("web.test"))
        let before = memory.pages
        for number in 1..<65_536 as Range<UInt32> { #expect(table.name(of: number) == nil && !table.holds(number)) }
        #expect(memory.pages == before)
    }

    @Test func `without memory there is no number, and with it again there is`() throws {
        let memory = PagedMemory(size: NameTable<PagedMemory>.size(capacity: 65_536))
        let table = memory.table
        memory.limit = 2
        var held = 0
        while let number = table.number(of: name("n\(held)")) {
            #expect(number == UInt32(held))
            held += 1
        }
        #expect(held > 0 && memory.pages.count == 2)
        for _ in 0..<100_000 { #expect(table.number(of: name("more")) == nil) }
        for index in 0..<held { #expect(table.name(of: UInt32(index)) == name("n\(index)")) }
        #expect(table.name(of: UInt32(held)) == nil && !table.holds(UInt32(held)))
        memory.limit = .max
        #expect(table.number(of: name("more")) == UInt32(held))
    }

    /// A name whose letter shows its length.
    private func name(ofLength length: Int) -> HostName {
        name(String(repeating: String(UnicodeScalar(UInt8(97 + length % 26))), count: length))
    }

    private func name(_ text: String) -> HostName {
        guard let name = HostName(text) else { preconditionFailure("\(text) has no 1 to 255 bytes") }
        return name
    }

    /// A table whose names have the numbers of their slots.
    private func withTable(capacity: UInt32, _ body: (NameTable<ReadyMemory>) -> Void) {
        body(SharedTable(capacity: capacity).table)
    }
}

/// A table in memory of its own, which is left to the process: a test's table may outlive the test.
private final class Flag: Sendable {
    let isSet = Atomic(false)
}

private final class SharedTable: Sendable {
    let table: NameTable<ReadyMemory>

    var memory: UnsafeMutableRawPointer { ready.base }
    private let ready: ReadyMemory

    init(capacity: UInt32, numberCount: UInt32? = nil, random: UInt64 = 0) {
        let size = NameTable<ReadyMemory>.size(capacity: capacity)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        ready = ReadyMemory(base: memory)
        table = newTable(ready, capacity: capacity, numberCount: numberCount ?? capacity, random: random)
    }
}

private func newTable<Memory>(
    _ memory: Memory, capacity: UInt32, numberCount: UInt32, random: UInt64
) -> NameTable<Memory> {
    guard let table = NameTable(memory: memory, capacity: capacity, numberCount: numberCount, random: random) else {
        preconditionFailure("a new table cannot be damaged")
    }
    return table
}

extension NameTable {
    /// Uses a time that does not matter.
    fileprivate func number(of name: HostName) -> UInt32? { number(of: name, at: 1) }
    fileprivate func name(of number: UInt32) -> HostName? { name(of: number, at: 1) }
}

/// Memory that records which of its pages were accessed, and has `limit` bytes at most. Only the first 64 bytes lie at
/// its base.
private final class PagedMemory: TableMemory, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    private let elsewhere: UnsafeMutableRawPointer
    var pages: Set<Int> = []
    var limit = Int.max

    init(size: Int) {
        base = .allocate(byteCount: 64, alignment: 64)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: 64)
        elsewhere = .allocate(byteCount: size, alignment: 4096)
        elsewhere.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        // Creating a table accesses its first page.
        pages.insert(0)
    }

    deinit {
        base.deallocate()
        elsewhere.deallocate()
    }

    var table: NameTable<PagedMemory> { newTable(self, capacity: 65_536, numberCount: 65_536, random: 0) }

    func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer? {
        let wanted = pages.union(offset / 4096...(offset + size - 1) / 4096)
        guard wanted == pages || wanted.count <= limit else { return nil }
        pages = wanted
        return elsewhere + offset
    }
}

@Suite struct FakeAddressesTests {
    let addresses = FakeAddresses(network: IPNetwork(IPv4Address(198, 18, 0, 0), prefixLength: 15))

    @Test func `numbers and addresses of both families turn into each other`() {
        for number in [0, 1, 65_535, 131_069] as [UInt32] {
            #expect(addresses.meaning(of: .v4(addresses.ipv4(number: number))) == .name(number: number))
            #expect(addresses.meaning(of: .v6(addresses.ipv6(number: number))) == .name(number: number))
            let mapped = IPv6Address(mapping: addresses.ipv4(number: number))
            #expect(addresses.meaning(of: .v6(mapped)) == .name(number: number))
        }
        #expect(IPAddress.v4(addresses.ipv4(number: 0)).description == "198.18.0.1")
        #expect(IPAddress.v4(addresses.ipv4(number: 131_069)).description == "198.19.255.254")
        #expect(addresses.capacity == 131_070)
    }

    @Test(arguments: ["198.17.255.255", "198.20.0.0", "127.0.0.1", "fd00::1", "::1", "2001:db8::1"])
    func `every other address is real`(text: String) throws {
        #expect(addresses.meaning(of: try #require(IPAddress(text))) == .real)
    }

    @Test func `the network's own address and the last one stand for no number that is given out`() throws {
        #expect(addresses.meaning(of: try #require(IPAddress("198.18.0.0"))) == .name(number: .max))
        #expect(addresses.meaning(of: try #require(IPAddress("198.19.255.255"))) == .name(number: 131_070))
    }

    @Test func `another network can be chosen, and one that cannot serve is not taken`() {
        let eight = FakeAddresses(network: IPNetwork(IPv4Address(224, 0, 0, 0), prefixLength: 8))
        #expect(IPAddress.v4(eight.ipv4(number: 0)).description == "224.0.0.1")
        #expect(eight.capacity == 0xff_fffe)
        #expect(FakeAddresses(network: IPNetwork(IPv4Address(10, 0, 0, 0), prefixLength: 31)) == addresses)
        #expect(FakeAddresses(network: IPNetwork(IPv6Address(high: 0, low: 0), prefixLength: 64)) == addresses)
        #expect(FakeAddresses(network: .v4(address: IPv4Address(10, 0, 0, 0), mask: 0xff00_ff00)) == addresses)
    }
}
