/// A decision and its reason, used both to act and to explain.
public struct Decision<Outcome: Equatable & Sendable>: Equatable, Sendable {
    public var outcome: Outcome
    public var reason: Reason
    /// The index in `Configuration.translations` of the applied one.
    public var translation: Int?

    init(_ outcome: Outcome, _ reason: Reason, translation: Int? = nil) {
        self.outcome = outcome
        self.reason = reason
        self.translation = translation
    }
}
