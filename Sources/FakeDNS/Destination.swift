import Addressing

/// An address of a name, and how this machine would reach it.
public struct Destination {
    public let address: IPAddress
    /// The source address; nil without a route to the address.
    public let source: IPAddress?
    /// The length of the prefix of the network that an IPv4 source is in.
    public let networkLength: Int

    public init(_ address: IPAddress, from source: IPAddress?, networkLength: Int = 32) {
        self.address = address
        self.source = source
        self.networkLength = networkLength
    }

    /// The number of leading bits in common with its source; 0 for an IPv4 source in another network, where the number
    /// is meaningless.
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
