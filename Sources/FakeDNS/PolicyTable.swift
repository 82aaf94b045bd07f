import Addressing

/// The policy for the order of addresses: RFC 6724 section 2.1, with the changes of gai.conf(5).
public struct PolicyTable {
    private var labels = PolicyList(otherwise: 1)
    private var precedences = PolicyList(otherwise: 40)
    /// Of IPv4 addresses alone.
    private var scopes = PolicyList(otherwise: PolicyTable.globalScope)

    static var linkLocalScope: Int { 2 }
    private static var siteLocalScope: Int { 5 }
    private static var globalScope: Int { 14 }

    /// libc's default table.
    @inline(never)
    public init() {
        let loopback = PolicyList.Prefix(high: 0, low: 1, length: 128)
        let sixToFour = PolicyList.Prefix(high: 0x2002 << 48, low: 0, length: 16)
        let compatible = PolicyList.Prefix(high: 0, low: 0, length: 96)
        let mapped = PolicyList.Prefix(high: 0, low: 0xffff << 32, length: 96)
        labels.append(loopback, 0)
        labels.append(sixToFour, 2)
        labels.append(compatible, 3)
        labels.append(mapped, 4)
        labels.append(PolicyList.Prefix(high: 0xfec0 << 48, low: 0, length: 10), 5)
        labels.append(PolicyList.Prefix(high: 0xfc00 << 48, low: 0, length: 7), 6)
        labels.append(PolicyList.Prefix(high: 0x2001 << 48, low: 0, length: 32), 7)
        precedences.append(loopback, 50)
        precedences.append(sixToFour, 30)
        precedences.append(compatible, 20)
        precedences.append(mapped, 10)
        scopes.append(PolicyList.Prefix(high: 0, low: 0xffff_a9fe << 16, length: 112), PolicyTable.linkLocalScope)
        scopes.append(PolicyList.Prefix(high: 0, low: 0xffff_7f << 24, length: 104), PolicyTable.linkLocalScope)
    }

    /// Reads a line of gai.conf(5). The first line of a kind replaces libc's defaults of that kind.
    public mutating func read(_ line: Span<UInt8>) {
        let text = withoutComment(line)
        let keyword = word(in: text, from: 0)
        let prefix = word(in: text, from: keyword.upperBound)
        let number = word(in: text, from: prefix.upperBound)
        guard let prefix = PolicyList.Prefix(text.extracting(prefix)),
            let number = decimalNumber(text.extracting(number))
        else { return }
        let name = text.extracting(keyword)
        if isWord(name, "label") { labels.add(prefix, number) }
        if isWord(name, "precedence") { precedences.add(prefix, number) }
        if isWord(name, "scopev4") { scopes.add(prefix, number) }
    }

    /// Whether `first` comes before `second` (RFC 6724 section 6).
    ///
    /// Omits rules 3, 4 and 7, which need data that is not available here: the kernel avoids deprecated source
    /// addresses itself, and only its interfaces know about mobility and tunnels.
    @inline(never)
    public func prefers(_ first: Destination, to second: Destination) -> Bool {
        let (one, other) = (first.address.mapped, second.address.mapped)
        // Rule 1: avoid unusable destinations.
        if (first.source == nil) != (second.source == nil) { return first.source != nil }
        if let source = first.source?.mapped, let otherSource = second.source?.mapped {
            // Rule 2: prefer matching scope.
            let hasScope = scope(of: one) == scope(of: source)
            if hasScope != (scope(of: other) == scope(of: otherSource)) { return hasScope }
            // Rule 5: prefer matching label.
            let hasLabel = labels.value(of: one) == labels.value(of: source)
            if hasLabel != (labels.value(of: other) == labels.value(of: otherSource)) { return hasLabel }
        }
        // Rule 6: prefer higher precedence.
        let precedence = precedences.value(of: one)
        let otherPrecedence = precedences.value(of: other)
        if precedence != otherPrecedence { return precedence > otherPrecedence }
        // Rule 8: prefer smaller scope.
        if scope(of: one) != scope(of: other) { return scope(of: one) < scope(of: other) }
        // Rule 9: use the longest matching prefix.
        if (one.mapped == nil) == (other.mapped == nil) {
            return first.matchingPrefixLength > second.matchingPrefixLength
        }
        // Rule 10: leave the order unchanged.
        return false
    }

    /// The scope of an address, in the numbers of RFC 4291 section 2.7.
    @inline(never)
    private func scope(of address: IPv6Address) -> Int {
        if address.mapped != nil { return scopes.value(of: address) }
        if address.high >> 56 == 0xff { return Int(address.high >> 48 & 0xf) }
        if address.isLinkLocal || address.isLoopback { return PolicyTable.linkLocalScope }
        return address.high >> 54 == 0x3fb ? PolicyTable.siteLocalScope : PolicyTable.globalScope
    }
}
