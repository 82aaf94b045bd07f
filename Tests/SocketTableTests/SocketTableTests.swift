import Addressing
import SocketTable
import Testing

@Suite struct SocketTableTests {
    let table: SocketTable

    init() {
        table = SocketTableTests.table(capacity: 64)
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
        for index in 1...9 as ClosedRange<UInt64> { table.insert(peer(UInt32(index)), cookie: index * 8) }
        #expect(table.peer(cookie: 8) == nil)
        for index in 2...9 as ClosedRange<UInt64> { #expect(table.peer(cookie: index * 8) == peer(UInt32(index))) }
    }

    @Test func `threads never read a mixture of two peers`() async {
        let table = SocketTableTests.table(capacity: 8)
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

    private static func table(capacity: Int) -> SocketTable {
        SocketTable(memory: zeroedMemory(SocketTable.size(capacity: capacity)), capacity: capacity)
    }
}
