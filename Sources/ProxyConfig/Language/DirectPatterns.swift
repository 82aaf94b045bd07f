// Destinations that go direct before all rules: `SOCKSIFY_DIRECT`, patterns separated by commas. Each is a host as in a
// rule, an address or a network, and may have a port after a colon; with a port, an IPv6 address or network stands in
// brackets.

extension Configuration {
    /// Reads patterns that are separated by commas, as rules that say `direct`. The columns of errors count from the
    /// beginning of the list.
    public static func parse(directPatterns text: Span<UInt8>) -> ParsedConfiguration {
        var parser = ConfigurationParser(SourceText(text), style: .socksify)
        parser.parseDirectPatterns()
        return parser.result
    }
}

extension ParsedConfiguration {
    /// Puts the rules of `patterns` before all others.
    public mutating func goAround(_ patterns: ParsedConfiguration) {
        configuration.rules = patterns.configuration.rules + configuration.rules
        positions.rules = patterns.positions.rules + positions.rules
    }
}

extension ConfigurationParser {
    fileprivate mutating func parseDirectPatterns() {
        var start = 0
        while true {
            let comma = text.first(UInt8(ascii: ","), in: start..<text.bytes.count)
            let pattern = text.trimmed(start..<(comma ?? text.bytes.count))
            if pattern.isEmpty {
                fail(.missing(.directPattern), at: pattern)
            } else {
                parseDirectPattern(pattern)
            }
            guard let comma else { break }
            start = comma + 1
        }
    }

    private mutating func parseDirectPattern(_ pattern: Range<Int>) {
        let errorsBefore = result.errors.count
        guard let (host, port) = splitDirectPattern(pattern) else {
            fail(.invalid(text.copy(pattern), .directPattern), at: pattern)
            return
        }
        var criteria = Rule.Criteria()
        let slash = text.first(UInt8(ascii: "/"), in: host) ?? host.upperBound
        let isNetwork = slash < host.upperBound || text.address(host) != nil
        parseValue(host, of: isNetwork ? .net : .host, into: &criteria)
        if let port { parseValue(port, of: .port, into: &criteria) }
        guard result.errors.count == errorsBefore else { return }
        result.configuration.rules.append(Rule(.direct, criteria))
        result.positions.rules.append(position(of: pattern))
    }

    /// nil where brackets or colons do not fit, as in a URL. Several colons without brackets are those of an IPv6
    /// address.
    private func splitDirectPattern(_ pattern: Range<Int>) -> (host: Range<Int>, port: Range<Int>?)? {
        if text.starts(pattern, with: "[") {
            guard let bracket = text.last(UInt8(ascii: "]"), in: pattern) else { return nil }
            let host = (pattern.lowerBound + 1)..<bracket
            let rest = (bracket + 1)..<pattern.upperBound
            if rest.isEmpty { return (host, nil) }
            return text.starts(rest, with: ":") ? (host, rest.dropFirst()) : nil
        }
        guard let colon = text.first(UInt8(ascii: ":"), in: pattern),
            text.last(UInt8(ascii: ":"), in: pattern) == colon
        else { return (pattern, nil) }
        let port = (colon + 1)..<pattern.upperBound
        return text.starts(port, with: "/") ? nil : (pattern.lowerBound..<colon, port)
    }
}
