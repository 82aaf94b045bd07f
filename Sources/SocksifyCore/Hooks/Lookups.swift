import Addressing

extension NameLookup {
    /// - Parameter name: not a numeric address.
    static func look(up name: Span<UInt8>, family: Int32, for purpose: Purpose = Purpose()) -> Answer {
        switch Runtime.state {
        case .unusable: .failure
        case .short(let errno): errno.isShortage ? .short(errno) : .tryAgain
        case .ready(let runtime): look(up: name, family: family, for: purpose, runtime.pointee.connections)
        }
    }
}

extension ReverseLookup {
    static func look(up address: IPAddress) -> Answer {
        switch Runtime.state {
        case .unusable, .short: .none
        case .ready(let runtime): look(up: address, runtime.pointee.connections)
        }
    }
}
