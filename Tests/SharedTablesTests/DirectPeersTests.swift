import Addressing
import Testing

@testable import SharedTables

@Suite struct DirectPeersTests {
    private static func peer(_ number: UInt32, port: UInt16 = 4000) -> SocketAddress {
        SocketAddress(address: .v4(IPv4Address(number)), port: port)
    }

    private func with(_ body: (DirectPeers) -> Void) {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: DirectPeers.size, alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: DirectPeers.size)
        defer { memory.deallocate() }
        body(DirectPeers(memory))
    }

    @Test func `a peer is known by address, port and the port that it sent to`() {
        with { peers in
            let peer = DirectPeersTests.peer(1)
            #expect(!peers.contains(peer, at: 53))
            peers.note(peer, at: 53)
            #expect(peers.contains(peer, at: 53))
            #expect(!peers.contains(peer, at: 54))
            #expect(!peers.contains(DirectPeersTests.peer(1, port: 4001), at: 53))
            #expect(!peers.contains(DirectPeersTests.peer(2), at: 53))
        }
    }

    @Test func `a mapped address is that which it stands for, and no other is`() {
        with { peers in
            let mapped = SocketAddress(address: .v6(IPv6Address(mapping: IPv4Address(7))), port: 9)
            peers.note(mapped, at: 53)
            #expect(peers.contains(DirectPeersTests.peer(7, port: 9), at: 53))
            #expect(!peers.contains(SocketAddress(address: .v6(IPv6Address(high: 0, low: 7)), port: 9), at: 53))
        }
    }

    @Test func `a socket without a port has no peers`() {
        with { peers in
            peers.note(DirectPeersTests.peer(0, port: 0), at: 0)
            #expect(!peers.contains(DirectPeersTests.peer(0, port: 0), at: 0))
        }
    }

    @Test func `hundreds are known at once, and the latest of any number`() {
        with { peers in
            for number in 0..<500 as Range<UInt32> { peers.note(DirectPeersTests.peer(number), at: 53) }
            let known = (0..<500 as Range<UInt32>).count { peers.contains(DirectPeersTests.peer($0), at: 53) }
            #expect(known == 500)
            for number in 0..<100_000 as Range<UInt32> {
                peers.note(DirectPeersTests.peer(number), at: 53)
                #expect(peers.contains(DirectPeersTests.peer(number), at: 53))
            }
            #expect(!peers.contains(DirectPeersTests.peer(0), at: 53))
        }
    }

    @Test func `a peer that comes again is not forgotten for others`() {
        with { peers in
            for number in 0..<20_000 as Range<UInt32> {
                peers.note(DirectPeersTests.peer(.max), at: 53)
                peers.note(DirectPeersTests.peer(number), at: 53)
            }
            #expect(peers.contains(DirectPeersTests.peer(.max), at: 53))
        }
    }
}
