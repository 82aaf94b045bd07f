import Addressing

extension Rule.Criteria {
    /// Whether the criteria other than names and networks match.
    func matchRequest(_ query: RuleQuery) -> RuleMatch {
        let command = matchCommand(query.command)
        guard command != .no, !ports.isEmpty else { return command }
        guard let port = query.port else { return .maybe }
        return matches(port: port) ? command : .no
    }

    /// Whether one of the names matches, or the rule has none. A destination without a name matches no pattern, not
    /// even `*`.
    func matches(name: Span<UInt8>) -> Bool {
        if hosts.isEmpty { return true }
        if name.isEmpty { return false }
        for index in hosts.indices where hosts[index].matches(name) { return true }
        return false
    }

    /// Whether one of the networks matches, or the rule has none.
    func matches(address: IPAddress?) -> Bool {
        if networks.isEmpty { return true }
        guard let address else { return false }
        for index in networks.indices where networks[index].contains(address) { return true }
        return false
    }

    func matches(port: UInt16) -> Bool {
        if ports.isEmpty { return true }
        for index in ports.indices where ports[index].contains(port) { return true }
        return false
    }

    private func matchCommand(_ command: Rule.Command?) -> RuleMatch {
        if let command { return allows(command) ? .yes : .no }
        switch (allows(.connect), allows(.udp)) {
        case (true, true): return .yes
        case (false, false): return .no
        case (true, false), (false, true): return .maybe
        }
    }

    /// Whether `command` and `proto` match.
    func allows(_ command: Rule.Command) -> Bool {
        (commands.isEmpty ? command != .bind : commands.contains(command))
            && (transports.isEmpty || transports.contains(command.transport))
    }

    /// Whether datagrams are meant expressly.
    var namesDatagrams: Bool { transports.contains(.udp) || commands.contains(.udp) }

    /// Whether there is nothing outgoing that could match.
    var speaksOfListenersOnly: Bool { !allows(.connect) && !allows(.udp) }
}

extension HostPattern {
    /// - Parameter name: without a final dot, of any case.
    func matches(_ name: Span<UInt8>) -> Bool {
        switch self {
        case .name(let pattern):
            return equalIgnoringCase(pattern.span, name)
        case .domain(let domain):
            let start = name.count - domain.count
            guard start == 0 || (start > 0 && name[start - 1] == UInt8(ascii: ".")) else { return false }
            return equalIgnoringCase(domain.span, name.extracting(start...))
        case .glob(let pattern):
            return globMatches(pattern.span, name, ignoringCase: true)
        }
    }
}

/// A name without the dot that makes it absolute.
@_lifetime(copy name)
func withoutFinalDot(_ name: Span<UInt8>) -> Span<UInt8> {
    guard name.count > 1, name[name.count - 1] == UInt8(ascii: ".") else { return name }
    return name.extracting(droppingLast: 1)
}

/// Whether `text` matches `pattern`: `*` matches any bytes, `?` one byte.
///
/// - Parameter ignoringCase: whether `text` may have upper case where `pattern` has lower case.
func globMatches(_ pattern: Span<UInt8>, _ text: Span<UInt8>, ignoringCase: Bool) -> Bool {
    var position = 0
    var index = 0
    // Where to go on after a mismatch: behind the last star, which then takes one byte more.
    var afterStar: Int?
    var starEnd = 0
    while index < text.count {
        let byte = ignoringCase ? lowercased(text[index]) : text[index]
        if position < pattern.count, pattern[position] == UInt8(ascii: "*") {
            position += 1
            afterStar = position
            starEnd = index
        } else if position < pattern.count, pattern[position] == UInt8(ascii: "?") || pattern[position] == byte {
            position += 1
            index += 1
        } else if let afterStar {
            position = afterStar
            starEnd += 1
            index = starEnd
        } else {
            return false
        }
    }
    while position < pattern.count, pattern[position] == UInt8(ascii: "*") { position += 1 }
    return position == pattern.count
}
