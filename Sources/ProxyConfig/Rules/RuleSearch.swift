import Addressing

/// A walk over rules that may match, with what it has found.
struct RuleSearch {
    let rules: [Rule]
    let query: RuleQuery
    /// The first rule found that surely matches; those behind it do not count.
    private(set) var limit = Int.max
    /// The rules before `limit` that may match, once it is known.
    var possible: PossibleRules?

    init(_ rules: [Rule], _ query: RuleQuery) {
        self.rules = rules
        self.query = query
    }

    /// Which of a rule's criteria brought it here.
    enum Item {
        case host(Int)
        case network(Int)
        case everything
    }

    mutating func consider(_ rule: Int, _ item: Item, name: Span<UInt8>) {
        guard rule < limit, rule < rules.count else { return }
        let match = rules[rule].criteria.matchRequest(query)
        guard match != .no, matches(rules[rule].criteria, item, name) else { return }
        switch match {
        case .no: break
        case .maybe: possible?.add(rules[rule])
        case .yes: limit = rule
        }
    }

    /// A hash may be that of another name or network, so that the item itself is compared, too; its neighbours, of which
    /// there may be thousands, are not.
    private func matches(_ criteria: Rule.Criteria, _ item: Item, _ name: Span<UInt8>) -> Bool {
        switch item {
        case .host(let host):
            return criteria.hosts[host].matches(name) && criteria.matches(address: query.address)
        case .network(let network):
            guard let address = query.address else { return false }
            return criteria.networks[network].contains(address)
        case .everything:
            return criteria.matches(name: name) && criteria.matches(address: query.address)
        }
    }
}
