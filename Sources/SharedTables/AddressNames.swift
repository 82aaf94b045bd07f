import Addressing
import TableMemory

/// The names of addresses that this machine has resolved, so that rules for a name apply to its addresses, too.
///
/// A name is stored as its number in a `NameTable`, with the version of that entry. If several names have the same
/// address, the last one counts.
public struct AddressNames<Memory: TableMemory & Sendable>: Sendable {
    private let records: RecordTable<Memory, 4>

    public static func size(capacity: Int) -> Int {
        RecordTable<Memory, 4>.size(capacity: capacity)
    }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: of addresses; rounded up to a power of two of at least 8.
    public init(memory: Memory, capacity: Int) {
        records = RecordTable(memory: memory, capacity: capacity)
    }

    /// The reference to a name.
    public struct Name: Equatable, Sendable {
        public let number: UInt32
        public let version: UInt32

        public init(number: UInt32, version: UInt32) {
            self.number = number
            self.version = version
        }
    }

    /// Records the name of the address. Does nothing without memory.
    public func insert(_ name: Name, for address: IPAddress) {
        let words = words(of: address)
        records.insert(
            [words.high, words.low, UInt64(name.version) << 32 | UInt64(name.number), 1], key: key(of: words))
    }

    /// The name of the address; nil if there is none.
    public func name(of address: IPAddress) -> Name? {
        let words = words(of: address)
        guard let record = records.words(key: key(of: words)), record[0] == words.high, record[1] == words.low,
            record[3] == 1
        else { return nil }
        return Name(number: UInt32(truncatingIfNeeded: record[2]), version: UInt32(truncatingIfNeeded: record[2] >> 32))
    }

    /// An IPv4 address is the same in its mapped form.
    private func words(of address: IPAddress) -> (high: UInt64, low: UInt64) {
        switch address.unmapped {
        case .v4(let address):
            let mapped = IPv6Address(mapping: address)
            return (mapped.high, mapped.low)
        case .v6(let address): return (address.high, address.low)
        }
    }

    private func key(of words: (high: UInt64, low: UInt64)) -> UInt64 {
        var key = (words.high ^ 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
        key = (key ^ key >> 31 ^ words.low) &* 0x94d0_49bb_1331_11eb
        return (key ^ key >> 29) | 1
    }
}
