import Addressing

/// Where a connection or a datagram goes.
public enum Route: Equatable, Sendable {
    /// Direct, to the address that the program gave.
    case direct
    /// Through a chain of `Configuration.lists[list]`. The request to the last proxy has this destination: the
    /// program's, or its `dnat` replacement, an IPv4-mapped address as IPv4.
    case proxy(list: Int, address: IPAddress, port: UInt16)
    /// It fails.
    case refuse(Refusal)
}
