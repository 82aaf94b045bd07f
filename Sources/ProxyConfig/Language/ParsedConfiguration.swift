import Addressing

/// The result of parsing: the values, and all mistakes, so that the user can correct them together.
///
/// Must not be used if there are errors: connections might go direct.
public struct ParsedConfiguration: Equatable, Sendable {
    public var configuration: Configuration
    /// In the order of the text.
    public var errors: [ConfigurationError] = []
    /// Valid parts that may have an unintended effect. In the order of the text.
    public var warnings: [ConfigurationError] = []
    /// Whether there is an `[App]` section, so that the configuration may be another one for another program.
    public internal(set) var namesPrograms = false
    var positions = SourcePositions()

    /// A configuration that was not read from a text.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Takes the chain of `list` in place of the default chain of the file: the globals, rules and other lists of a
    /// file with the proxies of `SOCKSIFY_PROXY`. The URLs are a strict chain, whatever chain mode the file has.
    public mutating func replaceProxies(with list: ParsedConfiguration) {
        let former = configuration
        configuration.proxies = list.configuration.proxies
        for index in configuration.lists.indices {
            if index == 0, let chain = list.configuration.lists.first, let places = list.positions.lists.first {
                configuration.lists[0] = chain
                positions.lists[0] = places
                continue
            }
            for hop in configuration.lists[index].hops.indices {
                guard case .proxy(let position) = configuration.lists[index].hops[hop],
                    let proxy = former.proxies.at(position)
                else { continue }
                configuration.lists[index].hops[hop] = .proxy(configuration.proxies.count)
                configuration.proxies.append(proxy)
            }
        }
    }

    /// Lists that are valid text but give no chain. Empty for a usable configuration, if there are no `errors` either.
    public var obstacles: [ConfigurationError] {
        var obstacles: [ConfigurationError] = []
        for list in configuration.listsInUse {
            let places = positions.lists.at(list) ?? SourcePositions.ListPositions()
            if let kind = configuration.chainObstacle(of: list) {
                var position: SourcePosition?
                if case .chainLongerThanList = kind { position = places.length ?? places.mode }
                obstacles.append(ConfigurationError(at: position ?? SourcePosition(line: 0, column: 0), kind))
            }
        }
        return obstacles
    }

    /// `errors`, and `obstacles` where the proxies were read without errors: otherwise "there is no proxy"
    /// would be said of a list whose only entry is misspelled.
    public var allErrors: [ConfigurationError] {
        guard !errors.isEmpty else { return obstacles }
        return errors
    }
}

extension Configuration {
    /// The default chain, the lists that a rule names, and the lists within these, in their order.
    var listsInUse: [Int] {
        var isInUse = [Bool](repeating: false, count: lists.count)
        var pending = [0]
        for rule in rules {
            if case .proxy(let list) = rule.action { pending.append(list) }
        }
        while let list = pending.popLast() {
            guard lists.indices.contains(list), !isInUse[list] else { continue }
            isInUse[list] = true
            for hop in lists[list].hops {
                if case .list(let inner) = hop { pending.append(inner) }
            }
        }
        return lists.indices.filter { isInUse[$0] }
    }

    /// What keeps a list from making chains.
    func chainObstacle(of list: Int) -> ConfigurationError.Kind? {
        let list = lists[list]
        guard !list.hops.isEmpty else { return .noProxies }
        switch list.mode {
        case .strict, .dynamic:
            return nil
        case .failover, .random, .roundRobin:
            guard list.length > list.hops.count else { return nil }
            return .chainLongerThanList(length: list.length, proxies: list.hops.count)
        }
    }

    /// The first thing that keeps this configuration from being used, for one that was made otherwise than by
    /// `parse`; nil when connections can be made with it.
    public func validateUse() -> ConfigurationError? {
        ParsedConfiguration(self).obstacles.first
    }

    /// Reads a configuration file.
    ///
    /// - Parameter program: for which `[App]` sections count; nil for none of them.
    public static func parse(
        _ text: Span<UInt8>, style: ConfigurationStyle, program: ProgramIdentity? = nil
    ) -> ParsedConfiguration {
        var parser = ConfigurationParser(SourceText(text), style: style, program: program)
        parser.parseFile()
        return parser.result
    }

    /// Reads proxy URLs that are separated by commas, the first hop first (`SOCKSIFY_PROXY`). A comma in a
    /// user or a password is written `%2C`. The columns of errors count from the beginning of the list.
    public static func parse(proxyURLs text: Span<UInt8>) -> ParsedConfiguration {
        var parser = ConfigurationParser(SourceText(text), style: .socksify)
        parser.parseURLList()
        return parser.result
    }
}
