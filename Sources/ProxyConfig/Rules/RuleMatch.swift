/// The result of matching a rule, with a possibly unknown port or protocol.
enum RuleMatch: Equatable {
    case no
    /// It depends on the port or the protocol.
    case maybe
    case yes
}
