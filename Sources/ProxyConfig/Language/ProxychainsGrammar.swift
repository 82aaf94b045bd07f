import Addressing

// The keywords of proxychains-ng. Some have to be the whole line; of the others it compares only the
// beginning, so `localnets 10.0.0.0/8` is a localnet. Where it exits, there is an error here; where it goes
// on in silence, there is a trap: see `ConfigurationParser.trap`.

extension ConfigurationParser {
    /// Reads a line that begins with a keyword of proxychains; false for any other line.
    mutating func parseProxychainsKeyword(_ line: Range<Int>) -> Bool {
        parseChainMode(line) || parseChainLength(line) || parseWholeLineKeyword(line) || parsePrefixKeyword(line)
    }

    /// Reads the chain mode of the current list; false for any other line.
    mutating func parseChainMode(_ line: Range<Int>) -> Bool {
        if text.equals(line, "strict_chain") {
            setChainMode(.strict, at: line)
        } else if text.equals(line, "dynamic_chain") {
            setChainMode(.dynamic, at: line)
        } else if style == .socksify, text.equals(line, "failover_chain") {
            setChainMode(.failover, at: line)
        } else if text.equals(line, "random_chain") {
            setChainMode(.random, at: line)
        } else if text.equals(line, "round_robin_chain") {
            setChainMode(.roundRobin, at: line)
        } else {
            return false
        }
        return true
    }

    private mutating func parseWholeLineKeyword(_ line: Range<Int>) -> Bool {
        if text.equals(line, "proxy_dns") || text.equals(line, "proxy_dns_old") {
            // The old way asks a name server through the proxy: names go the same way, to a resolver beyond
            // it.
            setDNS(.fake, at: line)
        } else if text.equals(line, "quiet_mode") {
            // Silences what is said of connections that succeed. Nothing else would tell why one failed.
            result.configuration.logLevel = .error
        } else {
            return false
        }
        return true
    }

    private mutating func setChainMode(_ mode: ChainMode, at line: Range<Int>) {
        result.configuration.lists[currentList].mode = mode
        result.positions.lists[currentList].mode = position(of: line)
    }

    private mutating func parsePrefixKeyword(_ line: Range<Int>) -> Bool {
        let (word, rest) = text.splitWord(line)
        if text.starts(line, with: "tcp_read_time_out") {
            if let milliseconds = parseMilliseconds(rest, after: word, minimum: 1, .positiveMilliseconds) {
                result.configuration.readTimeout = milliseconds
            }
        } else if text.starts(line, with: "tcp_connect_time_out") {
            if let milliseconds = parseMilliseconds(rest, after: word, minimum: 0, .milliseconds) {
                result.configuration.connectTimeout = milliseconds
            }
        } else if text.starts(line, with: "remote_dns_subnet") {
            parseFakeNetwork(rest, after: word)
        } else if text.starts(line, with: "localnet") {
            parseLocalNetwork(rest, after: word)
        } else if text.starts(line, with: "proxy_dns_daemon") {
            parseDNSDaemon(rest, after: word)
        } else if text.starts(line, with: "dnat") {
            parseTranslation(rest, after: word)
        } else {
            return parseKeywordWithComment(word)
        }
        return true
    }

    /// A keyword that has to be the whole line, with something after it, is unknown to proxychains. That is
    /// worth a sentence of its own: `proxy_dns # no leaks` leaks every name.
    private mutating func parseKeywordWithComment(_ word: Range<Int>) -> Bool {
        guard isWholeLineKeyword(word) else { return false }
        trap(.keywordNotAlone(text.copy(word)), at: word)
        return true
    }

    private func isWholeLineKeyword(_ word: Range<Int>) -> Bool {
        text.equals(word, "strict_chain") || text.equals(word, "dynamic_chain")
            || text.equals(word, "random_chain") || text.equals(word, "round_robin_chain")
            || text.equals(word, "proxy_dns") || text.equals(word, "proxy_dns_old")
            || text.equals(word, "quiet_mode") || style == .socksify && text.equals(word, "failover_chain")
    }

    /// Whether `line` would have been a keyword above `[ProxyList]`.
    func isKeyword(_ line: Range<Int>) -> Bool {
        let word = text.splitWord(line).word
        return isWholeLineKeyword(word) || text.starts(word, with: "tcp_read_time_out")
            || text.starts(word, with: "tcp_connect_time_out") || text.starts(word, with: "remote_dns_subnet")
            || text.starts(word, with: "localnet") || text.starts(word, with: "chain_len")
            || text.starts(word, with: "proxy_dns_daemon") || text.starts(word, with: "dnat")
            || isSocksifyKeyword(word)
    }

    /// The place right behind `range`, for what is missing there.
    func end(of range: Range<Int>) -> Range<Int> {
        range.upperBound..<range.upperBound
    }

    // MARK: Numbers

    private mutating func parseMilliseconds(
        _ value: Range<Int>, after word: Range<Int>, minimum: Int, _ expected: ConfigurationError.Expectation
    ) -> Int? {
        // poll(2) waits without end for less than no time, and so does proxychains.
        let negative = style == .proxychains && text.starts(value, with: "-")
        let digits = negative ? (value.lowerBound + 1)..<value.upperBound : value
        guard let number = parseNumber(digits, after: word, maximum: Int(Int32.max), expected) else {
            return nil
        }
        if negative && number > 0 { return minimum == 0 ? 0 : Int(Int32.max) }
        guard number >= minimum else {
            fail(.invalid(text.copy(text.splitWord(value).word), expected), at: value)
            return nil
        }
        return number
    }

    /// A decimal number. proxychains leaves what was there when there is none, and ignores what follows it.
    private mutating func parseNumber(
        _ value: Range<Int>, after word: Range<Int>, maximum: Int, _ expected: ConfigurationError.Expectation
    ) -> Int? {
        guard !value.isEmpty else {
            trap(.missing(expected), at: end(of: word))
            return nil
        }
        let (number, end) = text.leadingNumber(value, maximum: maximum)
        let first = text.splitWord(value).word
        guard end > value.lowerBound else {
            trap(.invalid(text.copy(first), expected), at: first)
            return nil
        }
        guard let number else {
            fail(.invalid(text.copy(first), expected), at: first)
            return nil
        }
        if end < value.upperBound {
            let surplus = text.trimmed(end..<value.upperBound)
            trap(.unexpectedText(text.copy(surplus)), at: surplus)
        }
        return number
    }

    mutating func setDNS(_ mode: DNSMode, at line: Range<Int>) {
        result.configuration.dns = mode
        result.positions.dns = position(of: line)
    }

    private mutating func parseFakeNetwork(_ value: Range<Int>, after word: Range<Int>) {
        guard let number = parseNumber(value, after: word, maximum: 255, .firstOctet),
            let octet = UInt8(exactly: number)
        else { return }
        result.configuration.fakeNetwork = IPNetwork(IPv4Address(octet, 0, 0, 0), prefixLength: 8)
        result.positions.fakeNetwork = position(of: word)
    }

    /// Reads the chain length of the current list; false for any other line.
    mutating func parseChainLength(_ line: Range<Int>) -> Bool {
        guard text.starts(line, with: "chain_len") else { return false }
        guard let sign = text.first(UInt8(ascii: "="), in: line) else {
            fail(.missing(.equalsSign), at: end(of: line))
            return true
        }
        let value = text.trimmed((sign + 1)..<line.upperBound)
        if let number = parseNumber(value, after: line.lowerBound..<(sign + 1), maximum: 65535, .chainLength) {
            result.configuration.lists[currentList].length = max(number, 1)
            result.positions.lists[currentList].length = position(of: line)
        }
        return true
    }

    // MARK: Addresses

    private mutating func parseLocalNetwork(_ value: Range<Int>, after word: Range<Int>) {
        guard !value.isEmpty else {
            fail(.missing(.localNetwork), at: end(of: word))
            return
        }
        guard let slash = text.first(UInt8(ascii: "/"), in: value), slash + 1 < value.upperBound else {
            fail(.invalid(text.copy(value), .localNetwork), at: value)
            return
        }
        let (mask, surplus) = text.splitWord((slash + 1)..<value.upperBound)
        guard surplus.isEmpty else {
            fail(.unexpectedText(text.copy(surplus)), at: surplus)
            return
        }
        guard let (address, portRange) = splitNetworkAddress(value.lowerBound..<slash) else { return }
        var port: UInt16?
        if let portRange {
            guard let number = text.number(portRange, maximum: 65535), !portRange.isEmpty else {
                fail(.invalid(text.copy(portRange), .portOrZero), at: portRange)
                return
            }
            // proxychains keeps 0 for "every port".
            port = number == 0 ? nil : UInt16(exactly: number)
        }
        switch text.address(address) {
        case .v4(let address)?:
            guard let network = networkV4(address, mask: mask) else {
                fail(.invalid(text.copy(mask), .mask), at: mask)
                return
            }
            append(LocalNetwork(network: network, port: port), at: value)
        case .v6(let address)?:
            guard let length = text.number(mask, maximum: 128), let prefixLength = UInt8(exactly: length)
            else {
                fail(.invalid(text.copy(mask), .prefixLengthV6), at: mask)
                return
            }
            let network = IPNetwork(address, prefixLength: prefixLength)
            append(LocalNetwork(network: network, port: port), at: value)
        case nil:
            fail(.invalid(text.copy(address), .networkAddress), at: address)
        }
    }

    private mutating func append(_ network: LocalNetwork, at value: Range<Int>) {
        result.configuration.localNetworks.append(network)
        result.positions.localNetworks.append(position(of: value))
    }

    /// Takes `a.b.c.d`, `a.b.c.d:port`, an IPv6 address bare, or in brackets with or without a port, apart.
    mutating func splitNetworkAddress(_ value: Range<Int>) -> (
        address: Range<Int>, port: Range<Int>?
    )? {
        let colon = UInt8(ascii: ":")
        if text.starts(value, with: "[") {
            guard let bracket = text.first(UInt8(ascii: "]"), in: value) else {
                fail(.invalid(text.copy(value), .closingBracket), at: value)
                return nil
            }
            let address = (value.lowerBound + 1)..<bracket
            let rest = (bracket + 1)..<value.upperBound
            guard text.addressV6(address) != nil else {
                fail(.invalid(text.copy(address), .networkAddress), at: address)
                return nil
            }
            if rest.isEmpty { return (address, nil) }
            guard text.starts(rest, with: ":") else {
                fail(.invalid(text.copy(rest), .closingBracket), at: rest)
                return nil
            }
            return (address, (rest.lowerBound + 1)..<rest.upperBound)
        }
        guard let first = text.first(colon, in: value), first == text.last(colon, in: value) else {
            return (value, nil)
        }
        return (value.lowerBound..<first, (first + 1)..<value.upperBound)
    }

    private func networkV4(_ address: IPv4Address, mask: Range<Int>) -> IPNetwork? {
        if let dotted = text.addressV4(mask) { return .v4(address: address, mask: dotted.value) }
        guard let length = text.number(mask, maximum: 32), let prefixLength = UInt8(exactly: length) else {
            return nil
        }
        return IPNetwork(address, prefixLength: prefixLength)
    }

    private mutating func parseTranslation(_ value: Range<Int>, after word: Range<Int>) {
        guard !value.isEmpty else {
            fail(.missing(.addressV4), at: end(of: word))
            return
        }
        let (original, rest) = text.splitWord(value)
        guard !rest.isEmpty else {
            fail(.missing(.secondAddress), at: end(of: original))
            return
        }
        let (replacement, surplus) = text.splitWord(rest)
        let from = parseAddressV4WithPort(original)
        let to = parseAddressV4WithPort(replacement)
        if !surplus.isEmpty { trap(.unexpectedText(text.copy(surplus)), at: surplus) }
        guard let from, let to else { return }
        result.configuration.translations.append(
            AddressTranslation(
                original: from.address, originalPort: from.port, replacement: to.address,
                replacementPort: to.port))
        result.positions.translations.append(position(of: value))
    }

    /// `a.b.c.d` or `a.b.c.d:port`; port 0 is no port, as proxychains has it.
    private mutating func parseAddressV4WithPort(_ value: Range<Int>) -> (
        address: IPv4Address, port: UInt16?
    )? {
        let colon = text.first(UInt8(ascii: ":"), in: value)
        guard let address = text.addressV4(value.lowerBound..<(colon ?? value.upperBound)) else {
            fail(.invalid(text.copy(value), .addressV4), at: value)
            return nil
        }
        guard let colon else { return (address, nil) }
        let range = (colon + 1)..<value.upperBound
        guard !range.isEmpty, let port = text.number(range, maximum: 65535) else {
            fail(.invalid(text.copy(range), .portOrZero), at: range)
            return nil
        }
        return (address, port == 0 ? nil : UInt16(exactly: port))
    }

    /// The daemon gives out addresses for names, which is done here without one.
    private mutating func parseDNSDaemon(_ value: Range<Int>, after word: Range<Int>) {
        guard !value.isEmpty else {
            fail(.missing(.dnsDaemon), at: end(of: word))
            return
        }
        let (daemon, surplus) = text.splitWord(value)
        guard let colon = text.first(UInt8(ascii: ":"), in: daemon),
            text.addressV4(daemon.lowerBound..<colon) != nil,
            text.number((colon + 1)..<daemon.upperBound, maximum: 65535) != nil, colon + 1 < daemon.upperBound
        else {
            fail(.invalid(text.copy(daemon), .dnsDaemon), at: daemon)
            return
        }
        if !surplus.isEmpty { trap(.unexpectedText(text.copy(surplus)), at: surplus) }
        if style == .socksify { warn(.daemonNotNeeded, at: word) }
        setDNS(.fake, at: word)
    }
}
