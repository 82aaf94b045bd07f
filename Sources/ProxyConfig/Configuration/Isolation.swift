/// Which connections share a generated user name, by which a proxy such as Tor separates them (`isolate`). Proxies with
/// credentials get those instead.
public enum Isolation: Equatable, Sendable {
    case none
    /// Those of each process.
    case process
    /// Those of each process tree.
    case tree
}
