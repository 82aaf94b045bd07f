/// Where a connection or a datagram to a name without a known address goes.
public enum NameRoute: Equatable, Sendable {
    /// Direct, to an address of the name, which this machine resolves.
    case direct
    /// Through a chain of `Configuration.lists[list]`; the request to the last proxy has the name.
    case proxy(list: Int)
    case refuse(Refusal)
}
