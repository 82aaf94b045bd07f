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
        } else if text.equals(word, "log") {
            parseLog(value, after: word)
        } else if isSocksifyKeyword(word) {
            fail(.notImplemented(text.copy(word)), at: word)
        } else {
            return false
        }
        return true
    }

    func isSocksifyKeyword(_ word: Range<Int>) -> Bool {
        text.equals(word, "loopback") || text.equals(word, "dns") || text.equals(word, "log")
            || text.equals(word, "udp") || text.equals(word, "bind") || text.equals(word, "isolate")
    }

    private mutating func parseLoopback(_ value: Range<Int>, after word: Range<Int>) {
        guard let value = parseWord(value, after: word, .loopbackPolicy) else { return }
        if text.equals(value, "direct") {
            result.configuration.loopback = .direct
        } else if text.equals(value, "proxy") {
            result.configuration.loopback = .proxy
        } else {
            fail(.invalid(text.copy(value), .loopbackPolicy), at: value)
        }
    }

    private mutating func parseDNS(_ value: Range<Int>, after word: Range<Int>) {
        let mode = text.splitWord(value).word
        if text.equals(mode, "tor") || text.equals(mode, "tcp") {
            fail(.notImplemented(text.copy(word.lowerBound..<mode.upperBound)), at: word)
            return
        }
        guard let value = parseWord(value, after: word, .dnsMode) else { return }
        if text.equals(value, "fake") {
            result.configuration.dns = .fake
        } else if text.equals(value, "local") {
            result.configuration.dns = .local
        } else {
            fail(.invalid(text.copy(value), .dnsMode), at: value)
            return
        }
        result.configuration.dnsDaemon = nil
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
        guard file.isEmpty else {
            fail(.notImplemented(text.copy(word.lowerBound..<file.upperBound)), at: word)
            return
        }
        result.configuration.logLevel = level
    }

    /// The one word that a line is to have after its keyword.
    private mutating func parseWord(
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
