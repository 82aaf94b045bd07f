import Addressing

/// A destination to match rules against.
struct RuleQuery: Equatable {
    /// Unmapped; nil where there is only a name.
    var address: IPAddress?
    /// nil while it is not known.
    var port: UInt16?
    /// Never `bind`; nil while it is not known which of the others it will be.
    var command: Rule.Command?
}
