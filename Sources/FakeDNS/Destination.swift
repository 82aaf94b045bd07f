import Addressing

/// An address of a name, and how this machine would reach it.
public struct Destination {
    public let address: IPAddress
    /// The address that it would be reached from; nil where there is no way to it.
    public let source: IPAddress?
    /// The length of the prefix of the network that an IPv4 source is in.
    public let networkLength: Int

    public init(_ address: IPAddress, from source: IPAddress?, networkLength: Int = 32) {
        self.address = address
        self.source = source
        self.networkLength = networkLength
    }

    /// The number of leading bits that it shares with its source; none with an IPv4 source of another network, where
    /// that says nothing.
    var matchingPrefixLength: Int {
        guard let source else { return 0 }
        switch (address.unmapped, source.unmapped) {
        case (.v4(let address), .v4(let source)):
            let length = (address.value ^ source.value).leadingZeroBitCount
            return length >= networkLength ? length : 0
        default: return self.address.mapped.sharedPrefixLength(with: source.mapped)
        }
    }
}
