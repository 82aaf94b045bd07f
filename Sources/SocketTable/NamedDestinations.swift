import Addressing

/// The names that a datagram socket has sent to, and the addresses that turned out to be theirs.
///
/// A proxy that is sent a datagram for a name mostly answers with the address that it found for it. The program has sent
/// to an address that stands for the name, and knows no other: what comes from the found address has to seem to come
/// from that one. Which found address belongs to which name nobody says; it follows from ports, and from what was sent
/// to when.
public struct NamedDestinations: Equatable, Sendable {
    /// A name that was sent to.
    public struct Name: Equatable, Sendable {
        /// The number of a name in a table of names, and the version of what stands there.
        public var number: UInt32
        public var version: UInt32
        /// Whether the program named it by an IPv6 address.
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

    private struct Entry: Equatable {
        var name = Name(number: 0, version: 0, isIPv6: false)
        var port: UInt16 = 0
        /// The address that the name was found to have.
        var found: IPAddress?
    }

    /// The names, the one that was sent to first in front. When there are too many, that one is forgotten.
    private var entries = InlineArray<8, Entry>(repeating: Entry())
    private var count = 0
    /// Addresses that were sent to as such, each where its bits lead to.
    private var addresses = InlineArray<16, IPAddress>(repeating: .v4(IPv4Address(0)))

    public init() {}

    /// A datagram goes to a name.
    public mutating func sent(to name: Name, port: UInt16) {
        for index in 0..<count where entries[index].name == name && entries[index].port == port { return }
        if count == entries.count {
            for index in 1..<count { entries[index - 1] = entries[index] }
            count -= 1
        }
        entries[count] = Entry(name: name, port: port, found: found(for: name))
        count += 1
    }

    /// A datagram goes to an address that stands for nothing else.
    public mutating func sent(to address: IPAddress) {
        let slot = NamedDestinations.slot(of: address)
        if addresses[slot] != address { addresses[slot] = address }
    }

    /// Whether the program named this one by an IPv6 address.
    public func isIPv6(_ number: UInt32) -> Bool {
        for index in 0..<count where entries[index].name.number == number { return entries[index].name.isIPv6 }
        return false
    }

    /// The name that something seems to come from; nil when it comes from the address itself.
    public mutating func name(of source: IPAddress, port: UInt16) -> Name? {
        for index in 0..<count where entries[index].found == source { return entries[index].name }
        if count == 0 || addresses[NamedDestinations.slot(of: source)] == source { return nil }
        // Answers mostly come in the order of the questions.
        for index in 0..<count where entries[index].found == nil && entries[index].port == port {
            return find(index, source)
        }
        // The name has more addresses than one.
        for index in 0..<count where entries[index].port == port { return find(index, source) }
        // The server goes on from another port, as one of TFTP does.
        for index in 0..<count where entries[index].found == nil { return find(index, source) }
        return count == 1 ? find(0, source) : nil
    }

    /// Whether nothing is known of the one that is not known of the other.
    public static func == (one: NamedDestinations, other: NamedDestinations) -> Bool {
        guard one.count == other.count else { return false }
        for index in 0..<one.count where one.entries[index] != other.entries[index] { return false }
        for index in one.addresses.indices where one.addresses[index] != other.addresses[index] { return false }
        return true
    }

    // MARK: Words

    /// How many words it is written as.
    public static var wordCount: Int { 1 + 8 * 6 + 16 * 3 }

    public func write(to words: inout WordCursor) {
        words.write(UInt64(count))
        for index in entries.indices {
            let entry = entries[index]
            entry.name.write(to: &words)
            words.write(UInt64(entry.port))
            words.write(entry.found)
        }
        for index in addresses.indices { words.write(addresses[index]) }
    }

    /// `words.isWrong` tells of words that no such thing was written as.
    public init(from words: inout WordCursor) {
        count = Int(words.read(upTo: UInt64(entries.count)))
        for index in entries.indices {
            let name = Name(from: &words)
            let port = UInt16(words.read(upTo: UInt64(UInt16.max)))
            entries[index] = Entry(name: name, port: port, found: words.readAddress())
        }
        for index in addresses.indices { addresses[index] = words.readAddress() ?? addresses[index] }
    }

    private mutating func find(_ index: Int, _ source: IPAddress) -> Name {
        entries[index].found = source
        return entries[index].name
    }

    private func found(for name: Name) -> IPAddress? {
        for index in 0..<count where entries[index].name == name { return entries[index].found }
        return nil
    }

    private static func slot(of address: IPAddress) -> Int {
        let bits: UInt64
        switch address {
        case .v4(let address): bits = UInt64(address.value)
        case .v6(let address): bits = address.high ^ address.low
        }
        return Int(truncatingIfNeeded: (bits &* 0x9e37_79b9_7f4a_7c15) >> 60)
    }
}
