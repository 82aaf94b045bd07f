import Addressing
import TableMemory

/// The sources of datagrams that came direct, with the local port: datagrams from that port to that source are answers,
/// and go direct as well.
///
/// Lies in private memory, and keeps the most recent sources.
public struct DirectPeers {
    /// Two words of an address, the local port, and the peer's port; all zero if empty.
    private struct Entry: Equatable {
        var high: UInt64
        var low: UInt64
        var ports: UInt64
    }

    private let entries: UnsafeMutablePointer<Entry>

    private static var setCount: Int { 1024 }
    /// The peers of one set, the latest first.
    private static var setSize: Int { 4 }

    /// Bytes of memory.
    public static var size: Int { setCount * setSize * MemoryLayout<Entry>.stride }

    /// - Parameter memory: `size` bytes, zero-filled at first.
    public init(_ memory: UnsafeMutableRawPointer) {
        entries = memory.assumingMemoryBound(to: Entry.self)
    }

    /// Records a datagram from the peer to this local port.
    public func note(_ peer: SocketAddress, at port: UInt16) {
        guard port != 0 else { return }
        let (entry, set) = DirectPeers.entry(of: peer, at: port, entries)
        var last = 0
        while last < DirectPeers.setSize - 1, set[last] != entry { last += 1 }
        for index in stride(from: last, to: 0, by: -1) { set[index] = set[index - 1] }
        set[0] = entry
    }

    /// Whether a datagram from the peer to this local port is recorded.
    public func contains(_ peer: SocketAddress, at port: UInt16) -> Bool {
        guard port != 0 else { return false }
        let (entry, set) = DirectPeers.entry(of: peer, at: port, entries)
        for index in 0..<DirectPeers.setSize where set[index] == entry { return true }
        return false
    }

    private static func entry(
        of peer: SocketAddress, at port: UInt16, _ entries: UnsafeMutablePointer<Entry>
    ) -> (Entry, set: UnsafeMutablePointer<Entry>) {
        let ports = UInt64(port) << 16 | UInt64(peer.port)
        let entry =
            switch peer.address.unmapped {
            case .v4(let address): Entry(high: 0, low: UInt64(address.value), ports: ports | 1 << 32)
            case .v6(let address): Entry(high: address.high, low: address.low, ports: ports | 1 << 33)
            }
        let digest = mixed(entry.ports, into: mixed(entry.low, into: mixed(entry.high, into: 0)))
        return (entry, entries + Int(truncatingIfNeeded: digest >> 54) * setSize)
    }
}
