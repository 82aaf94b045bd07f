/// What a failure says about the current proxy.
public enum FailureKind: Equatable, Sendable {
    /// Its protocol cannot express the request, which was not sent.
    case incapability
    /// It works, and refuses the request.
    case refusal
    /// It does not answer.
    case silence
    /// It misbehaves, or cannot be reached.
    case fault
    /// Nothing: the proxy did not cause it.
    case abortion
}
