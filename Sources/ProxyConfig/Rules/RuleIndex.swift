import Addressing

/// Finds the first rule that matches without a walk over all of them.
///
/// Rules with names and domains are found by hashes of the name and of its ends at a dot, rules with networks by hashes
/// of the address under each of the masks that occur. The others (patterns, ports alone) are walked over, as far as
/// the best one found.
struct RuleIndex: Equatable, Sendable {
    /// The first rule without criteria.
    private(set) var catchAll: Int?
    /// The rules that speak of listening sockets, in order.
    private(set) var listening: [Int] = []
    /// Whether a rule speaks of names.
    private(set) var namesHosts = false

    private var names: HashedRules
    private var networks: HashedRules
    private var masks: [NetworkMask] = []
    private var others: [Int] = []

    init(_ rules: [Rule]) {
        var nameCount = 0
        var networkCount = 0
        for rule in rules {
            switch RuleIndex.place(of: rule.criteria) {
            case .names: nameCount += rule.criteria.hosts.count
            case .networks: networkCount += rule.criteria.networks.count
            case .others, .nowhere: break
            }
        }
        names = HashedRules(capacity: nameCount)
        networks = HashedRules(capacity: networkCount)
        for index in rules.indices { add(rules[index].criteria, of: index) }
    }

    /// Where a rule is found.
    private enum Place {
        case names, networks, others, nowhere
    }

    private static func place(of criteria: Rule.Criteria) -> Place {
        if criteria.speaksOfListenersOnly { return .nowhere }
        for host in criteria.hosts {
            if case .glob = host { return .others }
        }
        if !criteria.hosts.isEmpty { return .names }
        return criteria.networks.isEmpty ? .others : .networks
    }

    private mutating func add(_ criteria: Rule.Criteria, of rule: Int) {
        if criteria.isEmpty, catchAll == nil { catchAll = rule }
        if criteria.allows(.bind) { listening.append(rule) }
        let place = RuleIndex.place(of: criteria)
        if place != .nowhere, !criteria.hosts.isEmpty { namesHosts = true }
        switch place {
        case .names:
            for item in criteria.hosts.indices {
                switch criteria.hosts[item] {
                case .name(let name): names.add(rule, item, hash: NameHash(of: name.span).ofName)
                case .domain(let domain): names.add(rule, item, hash: NameHash(of: domain.span).ofDomain)
                case .glob: break
                }
            }
        case .networks:
            for item in criteria.networks.indices {
                let (mask, address) = NetworkMask.split(criteria.networks[item])
                let number = masks.firstIndex(of: mask) ?? masks.count
                if number == masks.count { masks.append(mask) }
                networks.add(rule, item, hash: mask.hash(of: address, number: number))
            }
        case .others: others.append(rule)
        case .nowhere: break
        }
    }

    /// Shows `search` every rule that can match, until it has found the first that does. Allocates nothing.
    func run(_ search: inout RuleSearch, name: Span<UInt8>) {
        if !names.isEmpty, !name.isEmpty {
            var hash = NameHash()
            var start = name.count
            while start > 0 {
                start -= 1
                if name[start] == UInt8(ascii: ".") { names.show(hash.ofDomain, to: &search, name: name, .host) }
                hash.prepend(name[start])
            }
            names.show(hash.ofDomain, to: &search, name: name, .host)
            names.show(hash.ofName, to: &search, name: name, .host)
        }
        if let address = search.query.address {
            for number in masks.indices {
                guard let masked = masks[number].apply(to: address) else { continue }
                networks.show(
                    masks[number].hash(of: masked, number: number), to: &search, name: name, .network)
            }
        }
        for rule in others {
            guard rule < search.limit else { return }
            search.consider(rule, .everything, name: name)
        }
    }
}

/// Lists of rules by a hash, in open addressing.
private struct HashedRules: Equatable, Sendable {
    private struct Slot: Equatable, Sendable {
        var hash: UInt64 = 0
        var first: Int32 = -1
        var last: Int32 = -1
    }

    private struct Posting: Equatable, Sendable {
        var rule: Int32
        var item: Int32
        var next: Int32 = -1
    }

    /// Which criteria are hashed here.
    enum Kind {
        case host, network
    }

    /// Their number is a power of two, at least twice that of the postings, so that a search finds an empty one.
    private var slots: [Slot] = []
    private var postings: [Posting] = []

    init(capacity: Int) {
        guard capacity > 0 else { return }
        var size = 4
        while size < 2 * capacity { size *= 2 }
        slots = [Slot](repeating: Slot(), count: size)
        postings.reserveCapacity(capacity)
    }

    var isEmpty: Bool { postings.isEmpty }

    mutating func add(_ rule: Int, _ item: Int, hash: UInt64) {
        guard let slot = slot(of: hash) else { return }
        let number = Int32(truncatingIfNeeded: postings.count)
        postings.append(Posting(rule: Int32(truncatingIfNeeded: rule), item: Int32(truncatingIfNeeded: item)))
        if slots[slot].first < 0 {
            slots[slot] = Slot(hash: hash, first: number, last: number)
        } else {
            postings[Int(slots[slot].last)].next = number
            slots[slot].last = number
        }
    }

    func show(_ hash: UInt64, to search: inout RuleSearch, name: Span<UInt8>, _ kind: Kind) {
        guard let slot = slot(of: hash) else { return }
        var number = slots[slot].first
        while number >= 0 {
            let posting = postings[Int(number)]
            guard posting.rule < search.limit else { return }
            let item = Int(posting.item)
            search.consider(Int(posting.rule), kind == .host ? .host(item) : .network(item), name: name)
            number = posting.next
        }
    }

    /// The slot of a hash, or the empty one where it would be.
    private func slot(of hash: UInt64) -> Int? {
        guard !slots.isEmpty else { return nil }
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot].first >= 0, slots[slot].hash != hash { slot = (slot + 1) & (slots.count - 1) }
        return slot
    }
}

/// The hash of a name in lower case, taken from its end on, so that it passes through those of the domains.
private struct NameHash {
    private var state = FNV1a()

    init() {}

    init(of name: Span<UInt8>) {
        var start = name.count
        while start > 0 {
            start -= 1
            prepend(name[start])
        }
    }

    mutating func prepend(_ byte: UInt8) {
        state.append(lowercased(byte))
    }

    var ofName: UInt64 { mixed(state.value) }
    var ofDomain: UInt64 { mixed(~state.value) }
}

/// The bits of an address that a network looks at.
private struct NetworkMask: Equatable, Sendable {
    let isIPv6: Bool
    let high: UInt64
    let low: UInt64

    static func split(_ network: IPNetwork) -> (mask: NetworkMask, address: IPv6Address) {
        switch network {
        case .v4(let address, let mask):
            let mask = NetworkMask(isIPv6: false, high: 0, low: UInt64(mask))
            return (mask, IPv6Address(high: 0, low: UInt64(address.value) & mask.low))
        case .v6(let address, let prefixLength):
            let highBits = min(UInt64(prefixLength), 64)
            let lowBits = min(UInt64(prefixLength), 128) - highBits
            let mask = NetworkMask(
                isIPv6: true, high: highBits == 0 ? 0 : UInt64.max << (64 - highBits),
                low: lowBits == 0 ? 0 : UInt64.max << (64 - lowBits))
            return (mask, IPv6Address(high: address.high & mask.high, low: address.low & mask.low))
        }
    }

    /// nil for an address of the other family.
    func apply(to address: IPAddress) -> IPv6Address? {
        switch address {
        case .v4(let address): isIPv6 ? nil : IPv6Address(high: 0, low: UInt64(address.value) & low)
        case .v6(let address): isIPv6 ? IPv6Address(high: address.high & high, low: address.low & low) : nil
        }
    }

    func hash(of address: IPv6Address, number: Int) -> UInt64 {
        mixed(mixed(mixed(UInt64(truncatingIfNeeded: number)) ^ address.high) ^ address.low)
    }
}

/// Spreads the bits of a number over all of it (the last step of SplitMix64).
private func mixed(_ number: UInt64) -> UInt64 {
    var mixed = number &+ 0x9e37_79b9_7f4a_7c15
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
}
