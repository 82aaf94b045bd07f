import Addressing

// The other lines of a list: its chain mode, and `list NAME`.

extension ConfigurationParser {
    /// Reads a line of a named list that begins with a keyword; false for any other line.
    mutating func parseListKeyword(_ line: Range<Int>) -> Bool {
        parseChainMode(line) || parseChainLength(line)
    }

    /// The list whose lines these are. Chain modes above all sections are those of the default chain.
    var currentList: Int {
        if case .namedList(let list) = section { return list }
        return 0
    }

    /// Reads `list NAME`; false for any other line.
    mutating func parseListEntry(_ line: Range<Int>) -> Bool {
        let (word, value) = text.splitWord(line)
        guard text.equals(word, "list") else { return false }
        if let list = parseListName(value, after: word) { append(.list(list), at: line) }
        return true
    }

    /// The list that a line names.
    private mutating func parseListName(_ value: Range<Int>, after word: Range<Int>) -> Int? {
        guard let name = parseWord(value, after: word, .listName) else { return nil }
        return findList(name)
    }

    /// The list with a name; nil, and an error, if there is none.
    mutating func findList(_ name: Range<Int>) -> Int? {
        guard let list = list(named: name) else {
            fail(.unknownList(text.copy(name)), at: name)
            return nil
        }
        isListNamed[list] = true
        return list
    }

    /// Adds a hop to the current list.
    mutating func append(_ hop: ProxyList.Hop, at entry: Range<Int>) {
        result.configuration.lists[currentList].hops.append(hop)
        result.positions.lists[currentList].hops.append(position(of: entry))
    }
}
