import Addressing

// The headings: `[ProxyList]`, `[Proxies NAME]`, `[Rules]`, `[App PATTERN...]`.

extension ConfigurationParser {
    mutating func parseSection(_ line: Range<Int>) {
        guard text.bytes[line.upperBound - 1] == UInt8(ascii: "]"), line.count > 1 else {
            parseUnknownSection(line)
            return
        }
        let (name, value) = text.splitWord((line.lowerBound + 1)..<(line.upperBound - 1))
        if text.equals(line, "[ProxyList]") {
            beginSection(.proxyList)
            if hasProxyList { fail(.repeatedProxyList, at: line) }
            hasProxyList = true
            result.positions.lists[0].heading = position(of: line)
        } else if text.equals(line, "[Rules]") {
            beginSection(.rules)
            if hasRules { fail(.repeatedSection(text.copy(line)), at: line) }
            hasRules = true
        } else if text.starts(line, with: "[Proxies"), text.equals(name, "Proxies") {
            parseListHeading(value, after: name, of: line)
        } else if text.starts(line, with: "[App"), text.equals(name, "App") {
            parseAppHeading(value, after: name)
        } else {
            parseUnknownSection(line)
        }
    }

    private mutating func parseUnknownSection(_ line: Range<Int>) {
        if section == .globals {
            trap(.unknownSection(text.copy(line)), at: line)
        } else {
            beginSection(.unknown)
            fail(.unknownSection(text.copy(line)), at: line)
        }
    }

    /// - Parameter counts: whether what the section says is for this program.
    @inline(never)
    private mutating func beginSection(_ section: Section, counts: Bool = true) {
        endSection()
        self.section = section
        followsCatchAll = false
        if !counts { resultBeforeSection = result }
    }

    /// Discards the contents of a section for another program, but keeps its mistakes.
    @inline(never)
    mutating func endSection() {
        guard var result = resultBeforeSection else { return }
        result.errors = self.result.errors
        result.warnings = self.result.warnings
        self.result = result
        resultBeforeSection = nil
    }

    // MARK: Lists

    /// Finds the lists of the file, so that a line may name a list further below.
    mutating func declareLists() {
        var lines = LineCursor()
        while let raw = lines.advance(in: text) {
            let line = text.trimmed(raw)
            guard text.starts(line, with: "[Proxies"), text.bytes[line.upperBound - 1] == UInt8(ascii: "]") else {
                continue
            }
            let (section, name) = text.splitWord((line.lowerBound + 1)..<(line.upperBound - 1))
            guard text.equals(section, "Proxies"), listNameMistake(name) == nil, list(named: name) == nil,
                result.configuration.lists.count <= ConfigurationParser.mostLists
            else { continue }
            result.configuration.lists.append(ProxyList(name: text.copy(name)))
            result.positions.lists.append(SourcePositions.ListPositions())
        }
        hasList = [Bool](repeating: false, count: result.configuration.lists.count)
        isListNamed = hasList
    }

    /// Lists with a name.
    static var mostLists: Int { 64 }

    /// The index of a declared list; nil for an unknown name.
    func list(named name: Range<Int>) -> Int? {
        let lists = result.configuration.lists
        guard !name.isEmpty else { return nil }
        for index in lists.indices where text.equals(name, lists[index].name) { return index }
        return nil
    }

    private mutating func parseListHeading(_ name: Range<Int>, after word: Range<Int>, of line: Range<Int>) {
        beginSection(.unknown)
        if let mistake = listNameMistake(name) {
            fail(mistake, at: name.isEmpty ? end(of: word) : name)
            return
        }
        guard let list = list(named: name) else {
            fail(.tooManyLists(ConfigurationParser.mostLists), at: line)
            return
        }
        section = .namedList(list)
        if hasList[list] {
            fail(.repeatedSection(text.copy(line)), at: line)
        } else {
            hasList[list] = true
            result.positions.lists[list].heading = position(of: line)
        }
    }

    /// What keeps a word from being the name of a list.
    func listNameMistake(_ name: Range<Int>) -> ConfigurationError.Kind? {
        if name.isEmpty { return .missing(.listName) }
        for index in name {
            let character = text.bytes[index]
            guard character == UInt8(ascii: ".") || isNameCharacter(character) else {
                return .invalid(text.copy(name), .listName)
            }
        }
        // A rule could not name it.
        return criterion(name) == nil ? nil : .invalid(text.copy(name), .listName)
    }

    // MARK: Programs

    private mutating func parseAppHeading(_ patterns: Range<Int>, after word: Range<Int>) {
        var matches = false
        var (pattern, rest) = text.splitWord(patterns)
        while !pattern.isEmpty {
            if let program, program.matches(text.bytes.span.extracting(pattern)) { matches = true }
            (pattern, rest) = text.splitWord(rest)
        }
        beginSection(.app, counts: matches)
        result.namesPrograms = true
        resultBeforeSection?.namesPrograms = true
        if patterns.isEmpty { fail(.missing(.appPattern), at: end(of: word)) }
    }

    /// Whether the lines of the current section are for this program.
    var sectionCounts: Bool { resultBeforeSection == nil }
}
