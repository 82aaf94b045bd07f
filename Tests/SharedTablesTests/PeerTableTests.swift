import Addressing
import SharedTables
import TableMemory
import Testing

@Suite struct PeerTableTests {
    let table: PeerTable<ReadyMemory>

    init() {
        table = PeerTableTests.table(capacity: 64)
    }

    @Test func `a socket's peer is found by its cookie, with every field`() throws {
        let peers = [
            SocketAddress(address: .v4(IPv4Address(192, 0, 2, 1)), port: 443),
            SocketAddress(
                address: .v6(try #require(IPv6Address("2001:db8::1"))), port: 65535, flowInfo: 7, scopeID: .max),
            SocketAddress(address: .v6(IPv6Address(mapping: IPv4Address(192, 0, 2, 1))), port: 0),
        ]
        for (index, peer) in peers.enumerated() { table.insert(peer, cookie: UInt64(index + 1)) }
        for (index, peer) in peers.enumerated() { #expect(table.peer(cookie: UInt64(index + 1)) == peer) }
        #expect(table.peer(cookie: 99) == nil)
    }

    @Test func `a socket that connects again has the new peer alone`() {
        table.insert(peer(1), cookie: 5)
        table.insert(peer(2), cookie: 5)
        #expect(table.peer(cookie: 5) == peer(2))
        table.remove(cookie: 5)
        #expect(table.peer(cookie: 5) == nil)
    }

    @Test func `a full bucket forgets the socket that was written first`() {
        // Cookies that fall into one bucket.
        for index in 1...9 as ClosedRange<UInt64> { table.insert(peer(UInt32(index)), cookie: index * 64) }
        #expect(table.peer(cookie: 64) == nil)
        for index in 2...9 as ClosedRange<UInt64> { #expect(table.peer(cookie: index * 64) == peer(UInt32(index))) }
        // A free slot is taken first.
        table.remove(cookie: 5 * 64)
        table.insert(peer(10), cookie: 10 * 64)
        for index in [2, 3, 4, 6, 7, 8, 9, 10] as [UInt64] {
            #expect(table.peer(cookie: index * 64) == peer(UInt32(index)))
        }
    }

    @Test func `records whose writers ended in the middle mean nothing, and are used again`() {
        let memory = zeroedMemory(PeerTable<ReadyMemory>.size(capacity: 8))
        let table = PeerTable(memory: ReadyMemory(base: memory), capacity: 8)
        for cookie in 1...8 as ClosedRange<UInt64> { table.insert(peer(UInt32(cookie)), cookie: cookie) }
        for record in 0..<8 {
            // Another thread writes the last word of the peer.
            memory.storeBytes(of: 99, toByteOffset: record * 64 + 48, as: UInt64.self)
        }
        for cookie in 1...8 as ClosedRange<UInt64> { #expect(table.peer(cookie: cookie) == nil) }
        table.insert(peer(3), cookie: 3)
        #expect(table.peer(cookie: 3) == peer(3))
        for cookie in 11...17 as ClosedRange<UInt64> { table.insert(peer(UInt32(cookie)), cookie: cookie) }
        for cookie in 11...17 as ClosedRange<UInt64> { #expect(table.peer(cookie: cookie) == peer(UInt32(cookie))) }
        #expect(table.peer(cookie: 3) == peer(3))
    }

    @Test func `a socket whose record another thread began to write for it has the younger peer`() {
        let memory = zeroedMemory(PeerTable<ReadyMemory>.size(capacity: 8))
        let table = PeerTable(memory: ReadyMemory(base: memory), capacity: 8)
        table.insert(peer(1), cookie: 1)
        let first = (0..<7).map { memory.load(fromByteOffset: $0 * 8, as: UInt64.self) }
        table.insert(peer(2), cookie: 1)
        // The older record, unchanged, in the next place.
        for (index, word) in first.enumerated() {
            memory.storeBytes(of: word, toByteOffset: 64 + index * 8, as: UInt64.self)
        }
        #expect(table.peer(cookie: 1) == peer(2))
        table.remove(cookie: 1)
        #expect(table.peer(cookie: 1) == nil)
    }

    @Test func `sockets that come one after the other share a page`() {
        let memory = CountingMemory(size: PeerTable<CountingMemory>.size(capacity: 32_768))
        let table = PeerTable(memory: memory, capacity: 32_768)
        for cookie in 4096..<4160 as Range<UInt64> { table.insert(peer(UInt32(cookie)), cookie: cookie) }
        for cookie in 4096..<4160 as Range<UInt64> { #expect(table.peer(cookie: cookie) == peer(UInt32(cookie))) }
        #expect(memory.pages == [64])
    }

    @Test func `without memory nothing is remembered or found`() {
        let memory = CountingMemory(size: PeerTable<CountingMemory>.size(capacity: 64))
        let table = PeerTable(memory: memory, capacity: 64)
        memory.isFull = true
        table.insert(peer(1), cookie: 1)
        #expect(table.peer(cookie: 1) == nil)
        table.remove(cookie: 1)
        memory.isFull = false
        #expect(table.peer(cookie: 1) == nil)
    }

    @Test func `threads never read a mixture of two peers`() async {
        let table = PeerTableTests.table(capacity: 8)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 as Range<UInt64> {
                group.addTask {
                    for round in 0..<50_000 as Range<UInt64> {
                        let cookie = (task + round) % 12 + 1
                        let value = cookie << 32 | round
                        let address = IPv6Address(high: value, low: ~value)
                        table.insert(SocketAddress(address: .v6(address), port: 1), cookie: cookie)
                        guard case .v6(let read)? = table.peer(cookie: cookie)?.address else { continue }
                        if read.high != ~read.low || read.high >> 32 != cookie { return false }
                    }
                    return true
                }
            }
            for await good in group { #expect(good) }
        }
    }

    private func peer(_ value: UInt32) -> SocketAddress {
        SocketAddress(address: .v4(IPv4Address(value)), port: 80)
    }

    private static func table(capacity: Int) -> PeerTable<ReadyMemory> {
        let memory = zeroedMemory(PeerTable<ReadyMemory>.size(capacity: capacity))
        return PeerTable(memory: ReadyMemory(base: memory), capacity: capacity)
    }
}
