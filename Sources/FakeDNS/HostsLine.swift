import Addressing

/// One line of hosts(5): an address, then names, the canonical one first.
public struct HostsLine: ~Escapable {
    public let address: IPAddress
    private let names: Span<UInt8>

    /// nil for a blank line, a comment, or a line that starts with no address.
    @_lifetime(copy line)
    public init?(_ line: Span<UInt8>) {
        let text = withoutComment(line)
        let first = word(in: text, from: 0)
        guard !first.isEmpty, let address = IPAddress(parsing: text.extracting(first)) else { return nil }
        self.address = address
        self.names = text.extracting(first.upperBound...)
    }

    /// Whether the line gives `name` this address, as its canonical name or as an alias.
    public func gives(_ name: HostName) -> Bool {
        var next = word(in: names, from: 0)
        while !next.isEmpty {
            if equalIgnoringCase(names.extracting(next), name.bytes) { return true }
            next = word(in: names, from: next.upperBound)
        }
        return false
    }

    /// nil when the line has no name.
    public var canonicalName: HostName? {
        HostName(names.extracting(word(in: names, from: 0)))
    }
}
