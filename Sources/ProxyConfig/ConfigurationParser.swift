import Addressing

/// The state of reading one text. The grammar is in extensions: `ProxychainsGrammar`, `SocksifyGrammar`,
/// `ProxyEntry`, `ProxyURL`.
struct ConfigurationParser {
    let text: SourceText
    let style: ConfigurationStyle
    var result: ParsedConfiguration
    var lines = LineCursor()
    var section = Section.globals

    /// Which part of the file the current line is in.
    enum Section: Equatable {
        case globals
        case proxyList
        /// A section without implementation: its lines have a meaning, but none that can be judged here.
        case skipped
    }

    init(_ text: SourceText, style: ConfigurationStyle) {
        self.text = text
        self.style = style
        result = ParsedConfiguration(Configuration(defaultsOf: style))
    }

    mutating func parseFile() {
        while let raw = lines.advance(in: text) {
            let line = text.trimmed(raw)
            guard !line.isEmpty, text.bytes[line.lowerBound] != UInt8(ascii: "#") else { continue }
            if raw.count > 1023 { warn(.longLine(length: raw.count), at: line) }
            parseLine(line)
        }
    }

    mutating func parseLine(_ line: Range<Int>) {
        if text.bytes[line.lowerBound] == UInt8(ascii: "["), section != .proxyList || isSectionHeader(line) {
            parseSection(line)
            return
        }
        switch section {
        case .skipped: return
        case .proxyList: parseProxyEntry(line)
        case .globals:
            if parseProxychainsKeyword(line) || parseSocksifyKeyword(line) { return }
            trap(.unknownKeyword(text.copy(text.splitWord(line).word)), at: line)
        }
    }

    /// Among proxies an opening bracket may also begin an IPv6 address that lacks its type.
    private func isSectionHeader(_ line: Range<Int>) -> Bool {
        text.bytes[line.upperBound - 1] == UInt8(ascii: "]")
            && text.address(line.dropFirst().dropLast()) == nil
    }

    private mutating func parseSection(_ line: Range<Int>) {
        if text.equals(line, "[ProxyList]") {
            if section == .proxyList { fail(.repeatedProxyList, at: line) }
            section = .proxyList
        } else if text.equals(line, "[Rules]") || text.starts(line, with: "[Proxies ")
            || text.starts(line, with: "[App ")
        {
            fail(.notImplemented(text.copy(line)), at: line)
            section = .skipped
        } else if section == .globals {
            trap(.unknownSection(text.copy(line)), at: line)
        } else {
            fail(.unknownSection(text.copy(line)), at: line)
            section = .skipped
        }
    }

    mutating func parseURLList() {
        var start = 0
        while true {
            let comma = text.first(UInt8(ascii: ","), in: start..<text.bytes.count)
            let item = text.trimmed(start..<(comma ?? text.bytes.count))
            if item.isEmpty {
                fail(.missing(.proxyURL), at: item)
            } else {
                parseOneURL(item, schemeOptional: true)
            }
            guard let comma else { return }
            start = comma + 1
        }
    }

    // MARK: Reporting

    func position(of range: Range<Int>) -> SourcePosition {
        SourcePosition(line: lines.number, column: range.lowerBound - lines.start + 1)
    }

    mutating func fail(_ kind: ConfigurationError.Kind, at range: Range<Int>) {
        result.errors.append(ConfigurationError(at: position(of: range), kind))
    }

    mutating func warn(_ kind: ConfigurationError.Kind, at range: Range<Int>) {
        result.warnings.append(ConfigurationError(at: position(of: range), kind))
    }

    /// Reports what proxychains goes over in silence, and what therefore is a mistake only where the file is
    /// not one of proxychains.
    mutating func trap(_ kind: ConfigurationError.Kind, at range: Range<Int>) {
        switch style {
        case .socksify: fail(kind, at: range)
        case .proxychains: warn(kind, at: range)
        }
    }
}
