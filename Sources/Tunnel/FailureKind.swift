/// What a failure says of the proxy that is spoken with.
public enum FailureKind: Equatable, Sendable {
    /// It was not asked at all, because there is no form for that.
    case incapability
    /// It speaks its protocol, and says that it does not do what it is asked for.
    case refusal
    /// It says nothing.
    case silence
    /// It does not do what a proxy has to, or there is no way to it.
    case fault
    /// Nothing: it was not the proxy that ended it.
    case abortion
}
