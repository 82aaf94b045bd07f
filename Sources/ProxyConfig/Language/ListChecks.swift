// What can be said of lists only when all of them have been read: whether the chains that they make can exist.

extension ConfigurationParser {
    /// Hops of a chain, all lists unfolded.
    private static var longestChain: Int { 32 }
    /// Lists within lists.
    private static var deepestNesting: Int { 8 }

    mutating func checkLists() {
        var measures = [ListMeasure](repeating: ListMeasure(), count: result.configuration.lists.count)
        for list in measures.indices {
            if measures[list].state == .unknown { measure(list, &measures) }
            guard list > 0 else { continue }
            let heading = result.positions.lists[list].heading ?? SourcePosition(line: 0, column: 0)
            let name = result.configuration.lists[list].name
            if result.configuration.lists[list].hops.isEmpty, result.errors.isEmpty {
                result.errors.append(ConfigurationError(at: heading, .emptyList(name)))
            }
            if !isListNamed[list] { result.warnings.append(ConfigurationError(at: heading, .unusedList(name))) }
        }
        result.errors.sort { $0.position.isBefore($1.position) }
        result.warnings.sort { $0.position.isBefore($1.position) }
    }

    /// What is known of a list.
    private struct ListMeasure {
        enum State {
            case unknown, underWay, known
        }

        var state = State.unknown
        /// How many lists stand within each other, this one included.
        var depth = 1
        /// Hops of its longest chain.
        var length = 0
        /// Whether a chain may begin with a Unix-domain socket.
        var mayBeginWithUnixSocket = false
    }

    /// Each list is measured once, so that lists that name each other many times take no longer.
    private mutating func measure(_ list: Int, _ measures: inout [ListMeasure]) {
        measures[list].state = .underWay
        let mode = result.configuration.lists[list].mode
        let hops = result.configuration.lists[list].hops
        let positions = result.positions.lists[list].hops
        let chainLength = result.configuration.lists[list].length
        var lengths: [Int] = []
        var beginsWithUnixSocket = false
        for index in hops.indices {
            let position = positions.at(index) ?? SourcePosition(line: 0, column: 0)
            var isUnixSocket = false
            switch hops[index] {
            case .proxy(let position):
                if case .unixSocket? = result.configuration.proxies.at(position)?.location { isUnixSocket = true }
                lengths.append(1)
            case .list(let inner):
                guard follow(inner, from: list, at: position, &measures) else { continue }
                isUnixSocket = measures[inner].mayBeginWithUnixSocket
                lengths.append(measures[inner].length)
            }
            guard isUnixSocket else { continue }
            beginsWithUnixSocket = true
            let isAlwaysFirst: Bool
            switch mode {
            case .strict, .dynamic: isAlwaysFirst = index == 0
            case .failover, .random, .roundRobin: isAlwaysFirst = chainLength == 1
            }
            if !isAlwaysFirst { result.errors.append(ConfigurationError(at: position, .unixSocketBehindHop)) }
        }
        measures[list].mayBeginWithUnixSocket = beginsWithUnixSocket
        measures[list].length = longest(mode, chainLength, &lengths)
        measures[list].state = .known
        if measures[list].length > ConfigurationParser.longestChain {
            let heading = result.positions.lists[list].heading ?? SourcePosition(line: 0, column: 0)
            result.errors.append(
                ConfigurationError(
                    at: heading,
                    .chainTooLong(length: measures[list].length, most: ConfigurationParser.longestChain)))
            // Said once, not again of each list that this one stands in.
            measures[list].length = 1
        }
    }

    /// Measures a list that stands in another; false, and an error, where it must not stand there.
    private mutating func follow(
        _ inner: Int, from list: Int, at position: SourcePosition, _ measures: inout [ListMeasure]
    ) -> Bool {
        if measures[inner].state == .unknown { measure(inner, &measures) }
        let name = result.configuration.lists[inner].name
        guard measures[inner].state == .known else {
            result.errors.append(ConfigurationError(at: position, .listLoop(name)))
            return false
        }
        guard measures[inner].depth < ConfigurationParser.deepestNesting else {
            result.errors.append(
                ConfigurationError(at: position, .listNesting(most: ConfigurationParser.deepestNesting)))
            return false
        }
        measures[list].depth = max(measures[list].depth, measures[inner].depth + 1)
        return true
    }

    /// Hops of the longest chain of a list with hops of these lengths, each at most `longestChain`.
    private func longest(_ mode: ChainMode, _ chainLength: Int, _ lengths: inout [Int]) -> Int {
        var count = lengths.count
        switch mode {
        case .strict, .dynamic: break
        case .failover, .random, .roundRobin:
            lengths.sort { $0 > $1 }
            count = min(chainLength, count)
        }
        var length = 0
        for index in 0..<count { length += lengths[index] }
        return length
    }
}

extension SourcePosition {
    func isBefore(_ other: SourcePosition) -> Bool {
        line == other.line ? column < other.column : line < other.line
    }
}
