import Addressing

/// Replaces one destination by another (`dnat`). IPv4 only, as in proxychains.
public struct AddressTranslation: Equatable, Sendable {
    public var original: IPv4Address
    /// The matching port; nil for every port.
    public var originalPort: UInt16?
    public var replacement: IPv4Address
    /// nil keeps the port.
    public var replacementPort: UInt16?

    public init(
        original: IPv4Address, originalPort: UInt16?, replacement: IPv4Address, replacementPort: UInt16?
    ) {
        self.original = original
        self.originalPort = originalPort
        self.replacement = replacement
        self.replacementPort = replacementPort
    }
}
