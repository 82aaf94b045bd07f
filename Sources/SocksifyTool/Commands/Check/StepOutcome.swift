/// What became of one step of a check.
public enum StepOutcome: Equatable, Sendable {
    /// Nothing was tried.
    case untried
    case passed(milliseconds: Double)
    /// With the rest of a sentence that begins with the proxy.
    case failed(String)

    var isFailure: Bool {
        if case .failed = self { return true }
        return false
    }
}
