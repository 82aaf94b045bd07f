import Addressing

// A line of `[Rules]` or `[App]`: `direct`, `block [refused|unreachable]` or `proxy [NAME]`, and criteria, each a word and
// its values with commas between them.

extension ConfigurationParser {
    /// Reads a line that begins with what is to happen; false for any other line.
    mutating func parseRule(_ line: Range<Int>) -> Bool {
        let (word, rest) = text.splitWord(line)
        let errorsBefore = result.errors.count
        guard let (action, criteria) = parseAction(word, rest) else { return false }
        let parsed = parseCriteria(criteria, of: action)
        if followsCatchAll, parsed.map({ $0.allows(.connect) || $0.allows(.udp) }) ?? true {
            warn(.ruleNeverReached, at: line)
        }
        guard let action, let parsed, result.errors.count == errorsBefore else { return true }
        if parsed.isEmpty { followsCatchAll = true }
        let rule = Rule(action, parsed)
        if section == .rules {
            generalRules.rules.append(rule)
            generalRules.positions.append(position(of: line))
        } else if sectionCounts {
            appRules.rules.append(rule)
            appRules.positions.append(position(of: line))
        }
        return true
    }

    /// What is to happen, nil after an error; and what follows it. nil for a word that says nothing of the kind.
    private mutating func parseAction(
        _ word: Range<Int>, _ rest: Range<Int>
    ) -> (action: Rule.Action?, criteria: Range<Int>)? {
        if text.equals(word, "direct") { return (.direct, rest) }
        let (option, afterOption) = text.splitWord(rest)
        if text.equals(word, "block") {
            if text.equals(option, "refused") { return (.block(.refused), afterOption) }
            if text.equals(option, "unreachable") { return (.block(.unreachable), afterOption) }
            return (.block(.refused), rest)
        }
        guard text.equals(word, "proxy") else { return nil }
        if option.isEmpty || criterion(option) != nil { return (.proxy(list: 0), rest) }
        return (findList(option).map { .proxy(list: $0) }, afterOption)
    }

    /// A kind of criteria.
    enum Criterion {
        case host, net, port, transport, command
    }

    func criterion(_ word: Range<Int>) -> Criterion? {
        if text.equals(word, "host") { return .host }
        if text.equals(word, "net") { return .net }
        if text.equals(word, "port") { return .port }
        if text.equals(word, "proto") { return .transport }
        if text.equals(word, "command") { return .command }
        return nil
    }

    /// nil after a word that begins no criterion: what follows it cannot be judged.
    private mutating func parseCriteria(_ range: Range<Int>, of action: Rule.Action?) -> Rule.Criteria? {
        var criteria = Rule.Criteria()
        var rest = range
        while !rest.isEmpty {
            let (word, value) = text.splitWord(rest)
            guard let kind = criterion(word) else {
                fail(.unknownCriterion(text.copy(word)), at: word)
                return nil
            }
            let (values, afterValues) = text.splitWord(value)
            rest = afterValues
            guard !values.isEmpty else {
                fail(.missing(kind.expectation), at: end(of: word))
                return nil
            }
            parseValues(values, of: kind, into: &criteria)
            if kind == .command, criteria.commands.contains(.bind), isProxy(action) {
                fail(.notImplemented(text.copy(word.lowerBound..<values.upperBound)), at: word)
            }
        }
        if isContradictory(criteria) {
            fail(.contradiction(text.copy(range)), at: range)
            return nil
        }
        return criteria
    }

    private func isProxy(_ action: Rule.Action?) -> Bool {
        if case .proxy? = action { return true }
        return false
    }

    /// Whether nothing can match. A listening socket has no name.
    private func isContradictory(_ criteria: Rule.Criteria) -> Bool {
        criteria.speaksOfListenersOnly && (!criteria.allows(.bind) || !criteria.hosts.isEmpty)
    }

    private mutating func parseValues(
        _ values: Range<Int>, of kind: Criterion, into criteria: inout Rule.Criteria
    ) {
        var start = values.lowerBound
        while true {
            let comma = text.first(UInt8(ascii: ","), in: start..<values.upperBound)
            let value = start..<(comma ?? values.upperBound)
            if value.isEmpty {
                fail(.missing(kind.expectation), at: value)
            } else {
                parseValue(value, of: kind, into: &criteria)
            }
            guard let comma else { return }
            start = comma + 1
        }
    }

    mutating func parseValue(
        _ value: Range<Int>, of kind: Criterion, into criteria: inout Rule.Criteria
    ) {
        switch kind {
        case .host: if let pattern = parseHostPattern(value) { criteria.hosts.append(pattern) }
        case .net: if let network = parseNetwork(value) { criteria.networks.append(network) }
        case .port: if let ports = parsePorts(value) { criteria.ports.append(ports) }
        case .transport:
            if text.equals(value, "tcp") {
                criteria.transports.append(.tcp)
            } else if text.equals(value, "udp") {
                criteria.transports.append(.udp)
            } else {
                fail(.invalid(text.copy(value), kind.expectation), at: value)
            }
        case .command:
            if text.equals(value, "connect") {
                criteria.commands.append(.connect)
            } else if text.equals(value, "bind") {
                criteria.commands.append(.bind)
            } else if text.equals(value, "udp") {
                criteria.commands.append(.udp)
            } else {
                fail(.invalid(text.copy(value), kind.expectation), at: value)
            }
        }
    }

    /// `www.corp.example`, `.corp.example` for a domain, or a pattern with stars and question marks.
    private mutating func parseHostPattern(_ value: Range<Int>) -> HostPattern? {
        let slash = text.first(UInt8(ascii: "/"), in: value) ?? value.upperBound
        let isBracketed = text.starts(value, with: "[") && text.bytes[value.upperBound - 1] == UInt8(ascii: "]")
        let address = isBracketed ? (value.lowerBound + 1)..<(value.upperBound - 1) : value.lowerBound..<slash
        if text.address(address) != nil {
            fail(.addressAsHost(text.copy(value)), at: value)
            return nil
        }
        let hasDot = value.count > 1 && text.bytes[value.upperBound - 1] == UInt8(ascii: ".")
        let name = value.lowerBound..<(hasDot ? value.upperBound - 1 : value.upperBound)
        if isGlob(name) { return .glob(text.lowercasedCopy(name)) }
        let isDomain = text.starts(name, with: ".")
        let host = isDomain ? (name.lowerBound + 1)..<name.upperBound : name
        guard isHostName(host) else {
            fail(.invalid(text.copy(value), .hostPattern), at: value)
            return nil
        }
        return isDomain ? .domain(text.lowercasedCopy(host)) : .name(text.lowercasedCopy(host))
    }

    /// Whether there are stars or question marks, and else only what names are made of.
    private func isGlob(_ name: Range<Int>) -> Bool {
        var hasWildcard = false
        for index in name {
            let character = text.bytes[index]
            if character == UInt8(ascii: "*") || character == UInt8(ascii: "?") {
                hasWildcard = true
            } else if character != UInt8(ascii: "."), !isNameCharacter(character) {
                return false
            }
        }
        return hasWildcard
    }

    /// An address, or one with a prefix length.
    private mutating func parseNetwork(_ value: Range<Int>) -> IPNetwork? {
        let slash = text.first(UInt8(ascii: "/"), in: value)
        let prefix = slash.map { ($0 + 1)..<value.upperBound }
        switch text.address(value.lowerBound..<(slash ?? value.upperBound)) {
        case .v4(let address)?:
            return prefixLength(prefix, most: 32, of: value).map { IPNetwork(address, prefixLength: $0) }
        case .v6(let address)?:
            guard let length = prefixLength(prefix, most: 128, of: value) else { return nil }
            // Rules see IPv4-mapped addresses as IPv4.
            if length >= 96, let mapped = address.mapped { return IPNetwork(mapped, prefixLength: length - 96) }
            return IPNetwork(address, prefixLength: length)
        case nil:
            fail(.invalid(text.copy(value), .cidr), at: value)
            return nil
        }
    }

    private mutating func prefixLength(_ range: Range<Int>?, most: Int, of value: Range<Int>) -> UInt8? {
        guard let range else { return UInt8(exactly: most) }
        guard let number = text.number(range, maximum: most), let length = UInt8(exactly: number) else {
            fail(.invalid(text.copy(value), .cidr), at: value)
            return nil
        }
        return length
    }

    private mutating func parsePorts(_ value: Range<Int>) -> ClosedRange<UInt16>? {
        let hyphen = text.first(UInt8(ascii: "-"), in: value)
        let first = port(value.lowerBound..<(hyphen ?? value.upperBound))
        let last = hyphen.map { port(($0 + 1)..<value.upperBound) } ?? first
        guard let first, let last, first <= last else {
            fail(.invalid(text.copy(value), .ports), at: value)
            return nil
        }
        return first...last
    }

    private func port(_ range: Range<Int>) -> UInt16? {
        guard let number = text.number(range, maximum: 65535), number > 0 else { return nil }
        return UInt16(exactly: number)
    }
}

extension ConfigurationParser.Criterion {
    var expectation: ConfigurationError.Expectation {
        switch self {
        case .host: .hostPattern
        case .net: .cidr
        case .port: .ports
        case .transport: .transport
        case .command: .command
        }
    }
}
