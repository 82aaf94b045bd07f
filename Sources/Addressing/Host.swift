/// A host: an address, or an unresolved name.
public enum Host: Equatable, Sendable {
    case address(IPAddress)
    case name(HostName)

    public func write(to sink: inout some ByteSink) {
        switch self {
        case .address(let address): address.write(to: &sink)
        case .name(let name): name.write(to: &sink)
        }
    }
}
