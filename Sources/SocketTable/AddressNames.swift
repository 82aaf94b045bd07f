import Addressing
import TableMemory

/// The names that addresses were given out for: of those that this machine has resolved itself, so that what rules say of
/// a name holds for its addresses, too.
///
/// A name is kept by its number in a `NameTable`, with the version of what stands there. Where an address belongs to
/// several names, it is that of the last.
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

    /// What stands for a name.
    public struct Name: Equatable, Sendable {
        public let number: UInt32
        public let version: UInt32

        public init(number: UInt32, version: UInt32) {
            self.number = number
            self.version = version
        }
    }

    /// Remembers that the address is the name's. Where there is no memory, it does not.
    public func insert(_ name: Name, for address: IPAddress) {
        let words = words(of: address)
        records.insert(
            [words.high, words.low, UInt64(name.version) << 32 | UInt64(name.number), 1], key: key(of: words))
    }

    /// The name that the address was given out for; nil when it was for none.
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
