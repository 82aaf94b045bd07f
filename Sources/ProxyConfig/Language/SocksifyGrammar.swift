import Addressing

// The keywords that proxychains does not have. They are known in its files, too: it ignores them there.

extension ConfigurationParser {
    /// Reads a line that begins with a keyword of socksify; false for any other line.
    mutating func parseSocksifyKeyword(_ line: Range<Int>) -> Bool {
        let (word, value) = text.splitWord(line)
        if text.equals(word, "loopback") {
            parseLoopback(value, after: word)
        } else if text.equals(word, "dns") {
            parseDNS(value, after: word)
        } else if text.equals(word, "udp") {
            parseUDP(value, after: word)
        } else if text.equals(word, "bind") {
            parseListeners(value, after: word)
        } else if text.equals(word, "other_protocols") {
            parseOtherProtocols(value, after: word)
        } else if text.equals(word, "local_answers") {
            parseLocalAnswers(value, after: word)
        } else if text.equals(word, "search_domains") {
            parseSearch(value, after: word)
        } else if text.equals(word, "unreachable") {
            parseUnreachable(value, after: word)
        } else if text.equals(word, "isolate") {
            parseIsolation(value, after: word)
        } else if text.equals(word, "dead_time") {
            parseDeadTime(value, after: word)
        } else if text.equals(word, "log") {
            parseLog(value, after: word)
        } else {
            return false
        }
        return true
    }

    func isSocksifyKeyword(_ word: Range<Int>) -> Bool {
        text.equals(word, "loopback") || text.equals(word, "dns") || text.equals(word, "log")
            || text.equals(word, "udp") || text.equals(word, "bind") || text.equals(word, "isolate")
            || text.equals(word, "other_protocols") || text.equals(word, "dead_time")
            || text.equals(word, "local_answers") || text.equals(word, "search_domains")
            || text.equals(word, "unreachable")
    }

    private mutating func parseLoopback(_ value: Range<Int>, after word: Range<Int>) {
        let policies: [(StaticString, LoopbackPolicy)] = [("direct", .direct), ("proxy", .proxy)]
        guard let policy = parseChoice(value, after: word, .loopbackPolicy, policies) else { return }
        result.configuration.loopback = policy
        result.positions.loopback = position(of: word)
    }

    private mutating func parseDNS(_ value: Range<Int>, after word: Range<Int>) {
        guard let mode = parseDNSMode(value, after: word) else { return }
        setDNS(mode, at: word)
    }

    private mutating func parseDNSMode(_ value: Range<Int>, after word: Range<Int>) -> DNSMode? {
        let (first, server) = text.splitWord(value)
        if text.equals(first, "tcp") { return parseDNSServer(server, after: first).map(DNSMode.tcp) }
        return parseChoice(value, after: word, .dnsMode, [("fake", .fake), ("tor", .tor), ("local", .local)])
    }

    /// An address or a name, with a port or without; an IPv6 address with a port stands in brackets.
    private mutating func parseDNSServer(_ value: Range<Int>, after mode: Range<Int>) -> Endpoint? {
        guard let server = parseWord(value, after: mode, .dnsServer),
            let (host, port) = splitNetworkAddress(server)
        else { return nil }
        guard !host.isEmpty else {
            fail(.missing(.dnsServer), at: host)
            return nil
        }
        guard let host = parseHost(host) else { return nil }
        guard let port else { return Endpoint(host: host, port: nameServerPort) }
        guard !port.isEmpty else {
            fail(.missing(.port), at: port)
            return nil
        }
        guard let number = text.number(port, maximum: 65535), number > 0, let number = UInt16(exactly: number)
        else {
            fail(.invalid(text.copy(port), .port), at: port)
            return nil
        }
        return Endpoint(host: host, port: number)
    }

    private mutating func parseUDP(_ value: Range<Int>, after word: Range<Int>) {
        let (first, rest) = text.splitWord(value)
        let (option, size) = text.splitWord(rest)
        if text.equals(first, "associate"), text.equals(option, "fragment") {
            guard let size = parseFragmentSize(size, after: option) else { return }
            result.configuration.udp = .associate
            result.configuration.udpFragmentSize = size
            result.positions.udp = position(of: word)
        } else if let policy = parseUDPPolicy(value, after: word) {
            result.configuration.udp = policy
            result.configuration.udpFragmentSize = nil
            result.positions.udp = position(of: word)
        }
    }

    private mutating func parseUDPPolicy(_ value: Range<Int>, after word: Range<Int>) -> UDPPolicy? {
        parseChoice(
            value, after: word, .udpPolicy, [("associate", .associate), ("block", .block), ("direct", .direct)])
    }

    private mutating func parseFragmentSize(_ value: Range<Int>, after option: Range<Int>) -> Int? {
        guard let size = parseWord(value, after: option, .fragmentSize) else { return nil }
        guard let number = text.number(size, maximum: 65_000), number >= 256 else {
            fail(.invalid(text.copy(size), .fragmentSize), at: size)
            return nil
        }
        return number
    }

    private mutating func parseListeners(_ value: Range<Int>, after word: Range<Int>) {
        guard let value = parseWord(value, after: word, .listenerPolicy) else { return }
        if text.equals(value, "direct") {
            result.configuration.listeners = .direct
        } else if text.equals(value, "block") {
            result.configuration.listeners = .block
        } else if text.equals(value, "proxy") {
            fail(.notImplemented(text.copy(word.lowerBound..<value.upperBound)), at: word)
        } else {
            fail(.invalid(text.copy(value), .listenerPolicy), at: value)
        }
        result.positions.listeners = position(of: word)
    }

    private mutating func parseOtherProtocols(_ value: Range<Int>, after word: Range<Int>) {
        let policies: [(StaticString, OtherProtocolsPolicy)] = [("block", .block), ("direct", .direct)]
        guard let policy = parseChoice(value, after: word, .otherProtocolsPolicy, policies) else { return }
        result.configuration.otherProtocols = policy
    }

    private mutating func parseLocalAnswers(_ value: Range<Int>, after word: Range<Int>) {
        let policies: [(StaticString, LocalAnswersPolicy)] = [("refuse", .refuse), ("accept", .accept)]
        guard let policy = parseChoice(value, after: word, .localAnswersPolicy, policies) else { return }
        result.configuration.localAnswers = policy
    }

    private mutating func parseSearch(_ value: Range<Int>, after word: Range<Int>) {
        let policies: [(StaticString, Bool)] = [("off", false), ("on", true)]
        guard let policy = parseChoice(value, after: word, .searchPolicy, policies) else { return }
        result.configuration.searchesDomains = policy
    }

    private mutating func parseUnreachable(_ value: Range<Int>, after word: Range<Int>) {
        guard let value = parseWord(value, after: word, .unreachablePolicy) else { return }
        guard let policy = UnreachablePolicy(parsing: text.bytes.span.extracting(value)) else {
            fail(.invalid(text.copy(value), .unreachablePolicy), at: value)
            return
        }
        result.configuration.unreachable = policy
    }

    private mutating func parseIsolation(_ value: Range<Int>, after word: Range<Int>) {
        let choices: [(StaticString, Isolation)] = [("none", .none), ("process", .process), ("tree", .tree)]
        guard let isolation = parseChoice(value, after: word, .isolation, choices) else { return }
        result.configuration.isolation = isolation
    }

    private mutating func parseDeadTime(_ value: Range<Int>, after word: Range<Int>) {
        guard let value = parseWord(value, after: word, .deadTime) else { return }
        guard let seconds = text.number(value, maximum: 86_400) else {
            fail(.invalid(text.copy(value), .deadTime), at: value)
            return
        }
        result.configuration.deadTime = seconds
    }

    private mutating func parseLog(_ value: Range<Int>, after word: Range<Int>) {
        let (name, file) = text.splitWord(value)
        guard !name.isEmpty else {
            fail(.missing(.logLevel), at: end(of: word))
            return
        }
        guard let level = LogLevel(parsing: text.bytes.span.extracting(name)) else {
            fail(.invalid(text.copy(name), .logLevel), at: name)
            return
        }
        result.configuration.logLevel = level
        result.configuration.logFile = file.isEmpty ? nil : parsePath(file, after: name)
    }

    private mutating func parsePath(_ value: Range<Int>, after word: Range<Int>) -> [UInt8]? {
        guard let path = parseWord(value, after: word, .absolutePath) else { return nil }
        guard text.starts(path, with: "/"), text.first(0, in: path) == nil else {
            fail(.invalid(text.copy(path), .absolutePath), at: path)
            return nil
        }
        return text.copy(path)
    }

    /// The one word that a line is to have after its keyword, by what it means.
    private mutating func parseChoice<Meaning>(
        _ value: Range<Int>, after keyword: Range<Int>, _ expected: ConfigurationError.Expectation,
        _ choices: [(StaticString, Meaning)]
    ) -> Meaning? {
        guard let word = parseWord(value, after: keyword, expected) else { return nil }
        for (text, meaning) in choices where self.text.equals(word, text) { return meaning }
        fail(.invalid(text.copy(word), expected), at: word)
        return nil
    }

    /// The one word that a line is to have after its keyword.
    mutating func parseWord(
        _ value: Range<Int>, after keyword: Range<Int>, _ expected: ConfigurationError.Expectation
    ) -> Range<Int>? {
        let (word, surplus) = text.splitWord(value)
        guard !word.isEmpty else {
            fail(.missing(expected), at: end(of: keyword))
            return nil
        }
        guard surplus.isEmpty else {
            fail(.unexpectedText(text.copy(surplus)), at: surplus)
            return nil
        }
        return word
    }
}

extension LogLevel {
    /// Reads the word of the configuration file and of `SOCKSIFY_LOG`.
    public init?(parsing word: Span<UInt8>) {
        let text = SourceText(word)
        if text.equals(text.whole, "off") {
            self = .off
        } else if text.equals(text.whole, "error") {
            self = .error
        } else if text.equals(text.whole, "warn") {
            self = .warning
        } else if text.equals(text.whole, "info") {
            self = .info
        } else if text.equals(text.whole, "debug") {
            self = .debug
        } else {
            return nil
        }
    }
}
