import Addressing

/// What became of a text: the values, and everything that is wrong with it, so that a person can mend all
/// mistakes at once.
///
/// With errors the values are worth nothing: whoever connects nevertheless may go around the proxy.
public struct ParsedConfiguration: Equatable, Sendable {
    public var configuration: Configuration
    /// In the order of the text.
    public var errors: [ConfigurationError] = []
    /// What works, but perhaps not as it was meant. In the order of the text.
    public var warnings: [ConfigurationError] = []
    /// Where each of the proxies stands.
    var proxyPositions: [SourcePosition] = []
    var chainModePosition = SourcePosition(line: 0, column: 0)
    var chainLengthPosition = SourcePosition(line: 0, column: 0)
    var dnsPosition = SourcePosition(line: 0, column: 0)

    /// A configuration that was not read from a text.
    public init(_ configuration: Configuration) {
        self.configuration = configuration
    }

    /// Takes the chain of `list` in place of the one of the file: the globals of a file with the proxies of
    /// `SOCKSIFY_PROXY`. The URLs stand for exactly the chain that they are, whatever chain mode the file
    /// has.
    public mutating func replaceProxies(with list: ParsedConfiguration) {
        configuration.proxies = list.configuration.proxies
        configuration.lists = list.configuration.lists
        proxyPositions = list.proxyPositions
        chainModePosition = list.chainModePosition
        chainLengthPosition = list.chainLengthPosition
    }

    /// What is written correctly, but cannot be used: no proxy, or what this version has no implementation
    /// for. Empty for a configuration that connections can be made with, if there are no `errors` either.
    public var obstacles: [ConfigurationError] {
        var obstacles: [ConfigurationError] = []
        if configuration.dnsDaemon != nil {
            obstacles.append(ConfigurationError(at: dnsPosition, .dnsDaemonNotImplemented))
        }
        let proxies = configuration.proxies
        if let kind = configuration.chainObstacle {
            var position = SourcePosition(line: 0, column: 0)
            switch kind {
            case .chainModeNotImplemented: position = chainModePosition
            case .chainLongerThanList: position = chainLengthPosition
            default: break
            }
            obstacles.append(ConfigurationError(at: position, kind))
        }
        for index in proxies.indices where proxies[index].type != .socks5 {
            let position =
                index < proxyPositions.count ? proxyPositions[index] : SourcePosition(line: 0, column: 0)
            obstacles.append(ConfigurationError(at: position, .proxyTypeNotImplemented(proxies[index].type)))
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
    /// What keeps the list of proxies from being a chain.
    var chainObstacle: ConfigurationError.Kind? {
        guard !proxies.isEmpty else { return .noProxies }
        switch chainMode {
        case .strict:
            return nil
        case .dynamic:
            // One proxy is the same chain in every mode.
            return proxies.count == 1 ? nil : .chainModeNotImplemented(chainMode)
        case .random, .roundRobin:
            if chainLength > proxies.count {
                return .chainLongerThanList(length: chainLength, proxies: proxies.count)
            }
            return proxies.count == 1 ? nil : .chainModeNotImplemented(chainMode)
        }
    }

    /// The first thing that keeps this configuration from being used, for one that was made otherwise than by
    /// `parse`; nil when connections can be made with it.
    public func validateUse() -> ConfigurationError? {
        ParsedConfiguration(self).obstacles.first
    }

    /// Reads a configuration file.
    public static func parse(_ text: Span<UInt8>, style: ConfigurationStyle) -> ParsedConfiguration {
        var parser = ConfigurationParser(SourceText(text), style: style)
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
