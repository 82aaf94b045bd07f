import Addressing
import TableMemory

/// The names and addresses that a datagram socket has sent to.
///
/// A proxy usually answers a datagram for a name with the resolved address. The program only knows the name's reserved
/// address, so that the source must be shown as that one. The proxy does not say which address belongs to which name:
/// it is inferred from the addresses and ports that were sent to. If that is ambiguous, the program sees the source as
/// it is.
public struct NamedDestinations: Sendable {
    /// A name among the destinations.
    public struct Name: Equatable, Sendable {
        /// The name's number in a `NameTable`, and the version of that entry.
        public var number: UInt32
        public var version: UInt32
        /// Whether the program used its reserved IPv6 address.
        public var isIPv6: Bool

        public init(number: UInt32, version: UInt32, isIPv6: Bool) {
            self.number = number
            self.version = version
            self.isIPv6 = isIPv6
        }

        /// Two words.
        public func write(to words: inout WordCursor) {
            words.write(version, number)
            words.write(isIPv6 ? 1 : 0)
        }

        public init(from words: inout WordCursor) {
            (version, number) = words.readHalves()
            isIPv6 = words.read(upTo: 1) == 1
        }
    }

    private struct Entry {
        var name = Name(number: 0, version: 0, isIPv6: false)
        var port: UInt16 = 0
        /// The address that the name was found to have.
        var found: IPAddress?
    }

    /// The names, the one that was sent to first in front. When there are too many, that one is forgotten.
    private var entries = InlineArray<8, Entry>(repeating: Entry())
    private var count = 0
    /// A hash table of digests of the numeric destinations, with and without their ports. A new digest replaces an
    /// older one.
    private var addresses = InlineArray<128, UInt32>(repeating: 0)
    /// The number of changes since it was created or read.
    public private(set) var changes: UInt32 = 0

    public init() {}

    /// Records a datagram to a name.
    public mutating func sent(to name: Name, port: UInt16) {
        for index in 0..<count where entries[index].name == name && entries[index].port == port { return }
        if count == entries.count {
            for index in 1..<count { entries[index - 1] = entries[index] }
            count -= 1
        }
        entries[count] = Entry(name: name, port: port, found: found(for: name))
        count += 1
        changes &+= 1
    }

    /// Records a datagram to a numeric address.
    public mutating func sent(to address: IPAddress, port: UInt16) {
        note(NamedDestinations.digest(of: address, port: port))
        note(NamedDestinations.digest(of: address, port: nil))
    }

    private mutating func note(_ digest: Digest) {
        guard addresses[digest.slot] != digest.value else { return }
        addresses[digest.slot] = digest.value
        changes &+= 1
    }

    /// Nothing was sent yet.
    public mutating func forgetAll() {
        let changes = changes
        self = NamedDestinations()
        self.changes = changes &+ 1
    }

    /// Whether a datagram was sent to the numeric address and this port, or for nil to any port.
    public func wasSent(to address: IPAddress, port: UInt16?) -> Bool {
        let digest = NamedDestinations.digest(of: address, port: port)
        return addresses[digest.slot] == digest.value
    }

    /// Whether the program used the reserved IPv6 address of this one.
    public func isIPv6(_ number: UInt32) -> Bool {
        for index in 0..<count where entries[index].name.number == number { return entries[index].name.isIPv6 }
        return false
    }

    /// The name of a source; nil for a numeric destination, or if several names are possible.
    public mutating func name(of source: IPAddress, port: UInt16) -> Name? {
        guard count > 0 else { return nil }
        let isAddress = wasSent(to: source, port: port)
        switch only({ $0.port == port && $0.found == source }) {
        case .one(let index): return isAddress ? nil : entries[index].name
        case .several: return nil
        case .none: if isAddress { return nil }
        }
        // The first answer of the name that was contacted at this port.
        switch only({ $0.port == port && $0.found == nil }) {
        case .one(let index): return find(index, source)
        case .several: return nil
        case .none: break
        }
        if wasSent(to: source, port: nil) { return nil }
        // The server continues from another port, as in TFTP, or the name has several addresses.
        var search = only { $0.found == source }
        if case .none = search { search = only { $0.port == port } }
        if case .none = search { search = only { $0.found == nil } }
        if case .none = search { search = only { _ in true } }
        guard case .one(let index) = search else { return nil }
        return find(index, source)
    }

    private enum Search {
        case none
        /// Entries of one name, of which this is the first.
        case one(Int)
        case several
    }

    /// Searches the names for those of which `matches` is true.
    @inline(never)
    private func only(_ matches: (Entry) -> Bool) -> Search {
        var first: Int?
        for index in 0..<count where matches(entries[index]) {
            guard let known = first else {
                first = index
                continue
            }
            if entries[known].name != entries[index].name { return .several }
        }
        return first.map { .one($0) } ?? .none
    }

    // MARK: Words

    /// The number of words in its stored form.
    public static var wordCount: Int { 1 + 8 * 6 + 64 }

    public func write(to words: inout WordCursor) {
        words.write(UInt64(count))
        for index in entries.indices {
            let entry = entries[index]
            entry.name.write(to: &words)
            words.write(UInt64(entry.port))
            words.write(entry.found)
        }
        for index in stride(from: 0, to: addresses.count, by: 2) { words.write(addresses[index], addresses[index + 1]) }
    }

    /// Sets `words.isWrong` for invalid words.
    public init(from words: inout WordCursor) {
        count = Int(words.read(upTo: UInt64(entries.count)))
        for index in entries.indices {
            let name = Name(from: &words)
            let port = UInt16(words.read(upTo: UInt64(UInt16.max)))
            entries[index] = Entry(name: name, port: port, found: words.readAddress())
        }
        for index in stride(from: 0, to: addresses.count, by: 2) {
            (addresses[index], addresses[index + 1]) = words.readHalves()
        }
    }

    private mutating func find(_ index: Int, _ source: IPAddress) -> Name {
        if entries[index].found != source {
            entries[index].found = source
            changes &+= 1
        }
        return entries[index].name
    }

    private func found(for name: Name) -> IPAddress? {
        for index in 0..<count where entries[index].name == name { return entries[index].found }
        return nil
    }

    private typealias Digest = (slot: Int, value: UInt32)

    private static func digest(of address: IPAddress, port: UInt16?) -> Digest {
        var bits: UInt64
        switch address {
        case .v4(let address): bits = mixed(UInt64(address.value), into: 0)
        case .v6(let address): bits = mixed(address.low, into: mixed(address.high, into: 0))
        }
        if let port { bits = mixed(UInt64(port) + 1, into: bits) }
        // 0 means none.
        return (Int(truncatingIfNeeded: bits >> 57), UInt32(truncatingIfNeeded: bits) | 1)
    }
}
