import Addressing

/// The state of reading one text. The grammar is in extensions: `ProxychainsGrammar`, `SocksifyGrammar`,
/// `SectionGrammar`, `RuleGrammar`, `ListGrammar`, `ProxyEntry`, `ProxyURL`.
struct ConfigurationParser {
    let text: SourceText
    let style: ConfigurationStyle
    /// The program that the configuration is read for; nil for one of which nothing is known.
    let program: ProgramIdentity?
    var result: ParsedConfiguration
    var lines = LineCursor()
    var section = Section.globals
    /// What was there before a section that is not for this program.
    var resultBeforeSection: ParsedConfiguration?
    /// The rules of `[App]` sections for this program, which go before those of `[Rules]`.
    var appRules = PlacedRules()
    var generalRules = PlacedRules()
    /// Whether a rule above in this section matches everything.
    var followsCatchAll = false
    /// Which headings have been read.
    var hasProxyList = false
    var hasRules = false
    var hasList: [Bool] = []
    var hasTooManyProxies = false
    /// Which lists a rule or another list goes through, of whatever program.
    var isListNamed: [Bool] = []

    /// Which part of the file the current line is in.
    enum Section: Equatable {
        case globals
        /// `[ProxyList]`
        case proxyList
        /// `[Proxies NAME]`, at this index among the lists.
        case namedList(Int)
        case rules
        case app
        /// One that is not known: its lines may have a meaning, but none that can be judged here.
        case unknown
    }

    /// Rules, each with its place.
    struct PlacedRules {
        var rules: [Rule] = []
        var positions: [SourcePosition] = []
    }

    init(_ text: SourceText, style: ConfigurationStyle, program: ProgramIdentity? = nil) {
        self.text = text
        self.style = style
        self.program = program
        result = ParsedConfiguration(Configuration(defaultsOf: style))
    }

    mutating func parseFile() {
        declareLists()
        while let raw = lines.advance(in: text) {
            let line = text.trimmed(raw)
            guard !line.isEmpty, text.bytes[line.lowerBound] != UInt8(ascii: "#") else { continue }
            if style == .proxychains, raw.count > 1023 { warn(.longLine(length: raw.count), at: line) }
            parseLine(line)
        }
        endSection()
        result.configuration.rules = appRules.rules + generalRules.rules
        result.positions.rules = appRules.positions + generalRules.positions
        checkLists()
    }

    mutating func parseLine(_ line: Range<Int>) {
        if text.bytes[line.lowerBound] == UInt8(ascii: "["), !isListSection || isSectionHeader(line) {
            parseSection(line)
            return
        }
        switch section {
        case .unknown: return
        case .proxyList: parseProxyEntry(line)
        case .namedList:
            if !parseListKeyword(line) { parseProxyEntry(line) }
        case .rules:
            if parseRule(line) { return }
            let word = text.splitWord(line).word
            fail(isKeyword(line) ? .keywordBelowSections(text.copy(word)) : .unknownAction(text.copy(word)), at: word)
        case .globals, .app:
            if section == .app && parseRule(line) || parseProxychainsKeyword(line) || parseSocksifyKeyword(line) {
                return
            }
            trap(.unknownKeyword(text.copy(text.splitWord(line).word)), at: line)
        }
    }

    private var isListSection: Bool {
        switch section {
        case .proxyList, .namedList: true
        case .globals, .rules, .app, .unknown: false
        }
    }

    /// Among proxies an opening bracket may also begin an IPv6 address that lacks its type.
    private func isSectionHeader(_ line: Range<Int>) -> Bool {
        text.bytes[line.upperBound - 1] == UInt8(ascii: "]")
            && text.address(line.dropFirst().dropLast()) == nil
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
            guard let comma else { break }
            start = comma + 1
        }
        checkLists()
    }

    // MARK: Reporting

    @inline(never)
    func position(of range: Range<Int>) -> SourcePosition {
        SourcePosition(line: lines.number, column: range.lowerBound - lines.start + 1)
    }

    @inline(never)
    mutating func fail(_ kind: ConfigurationError.Kind, at range: Range<Int>) {
        ConfigurationParser.add(ConfigurationError(at: position(of: range), kind), to: &result.errors)
    }

    @inline(never)
    mutating func warn(_ kind: ConfigurationError.Kind, at range: Range<Int>) {
        ConfigurationParser.add(ConfigurationError(at: position(of: range), kind), to: &result.warnings)
    }

    /// How many errors, and how many warnings, are kept: nobody mends more at a time, while a text that is no
    /// configuration may have one in each of its lines.
    private static var mostKept: Int { 1000 }

    private static func add(_ error: ConfigurationError, to errors: inout [ConfigurationError]) {
        if errors.count < mostKept {
            errors.append(error)
        } else if errors.count == mostKept {
            errors.append(ConfigurationError(at: error.position, .othersLeftOut(mostKept)))
        }
    }

    /// Reports what proxychains goes over in silence, and what therefore is a mistake only where the file is
    /// not one of proxychains.
    @inline(never)
    mutating func trap(_ kind: ConfigurationError.Kind, at range: Range<Int>) {
        switch style {
        case .socksify: fail(kind, at: range)
        case .proxychains: warn(kind, at: range)
        }
    }
}
