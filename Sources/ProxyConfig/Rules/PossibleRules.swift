/// What rules say together of which each may match.
struct PossibleRules: Equatable {
    /// Whether one of them says `direct`.
    var haveDirect = false
    /// Whether one of them says anything else.
    var haveOther = false
    /// Whether one of them speaks of names.
    var nameHosts = false

    mutating func add(_ rule: Rule) {
        if rule.action == .direct { haveDirect = true } else { haveOther = true }
        if !rule.criteria.hosts.isEmpty { nameHosts = true }
    }
}
