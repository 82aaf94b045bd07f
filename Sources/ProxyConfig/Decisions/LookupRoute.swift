/// How a name that a program looks up is resolved.
public enum LookupRoute: Equatable, Sendable {
    /// All traffic to the name goes direct: this machine resolves it.
    case local
    /// No traffic to the name goes direct: the program gets a reserved address.
    case proxy
    /// The port or protocol will decide: a reserved address keeps the name until then.
    case undecided
    /// No rule matches the name: `dns` decides.
    case byMode
}
