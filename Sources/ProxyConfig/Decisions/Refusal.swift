/// Why a connection or a datagram is refused.
public enum Refusal: Equatable, Sendable {
    /// 0.0.0.0 or ::, which means this machine; a proxy would take it for its own.
    case unspecifiedAddress
    /// A reserved address without a name.
    case unknownName
    /// A datagram refused by `udp block`.
    case udpBlocked
    /// A rule says `block`.
    case blocked(BlockReason)

    /// The error that the program gets.
    public var error: RefusalError {
        switch self {
        case .unspecifiedAddress, .blocked(.refused): .connectionRefused
        case .unknownName, .blocked(.unreachable): .hostUnreachable
        case .udpBlocked: .networkUnreachable
        }
    }
}
