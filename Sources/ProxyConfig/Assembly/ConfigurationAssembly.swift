import Addressing

/// The configuration of a process, assembled from its sources: a command line, the environment, a file.
///
/// Defines the precedence, for the command and the library alike:
///
/// - the default chain: `-x`; without that and `-f`, `SOCKSIFY_PROXY`; otherwise the file;
/// - the file: `-f`; `SOCKSIFY_CONF`; otherwise the first that `ConfigurationSearch` finds;
/// - rules: `--direct`, then `SOCKSIFY_DIRECT`, then those of the file;
/// - unreachable programs: `--unreachable`; `SOCKSIFY_UNREACHABLE`; otherwise the file;
/// - passwords in files and variables: `readPasswords` reads those of the resulting chains.
///
/// The caller reads files and shows messages.
public struct ConfigurationAssembly {
    /// The result. Must not be used if there are `mistakes`: connections might go direct.
    public private(set) var parsed: ParsedConfiguration
    /// The file that was read; nil without one.
    public private(set) var file: ConfigurationSearch.Candidate?
    /// The source of the default chain, if it is not the file.
    public private(set) var proxySource: ConfigurationSource?
    /// Destinations that go direct before all rules of the file, separated by commas.
    public private(set) var directPatterns: [UInt8] = []
    /// The number of rules made from `directPatterns`; they come first.
    public private(set) var directRuleCount = 0
    /// All mistakes, so that the user can correct them together; those of the default chain's URLs come first.
    public private(set) var mistakes: [ConfigurationMistake] = []
    public private(set) var warnings: [ConfigurationWarning] = []

    /// - Parameters:
    ///   - program: the program whose `[App]` sections apply. Called only if the file may have such sections.
    ///   - read: reads the file at a path.
    public init(
        _ variables: ConfigurationSearch.Environment, _ options: ConfigurationOptions = ConfigurationOptions(),
        program: () -> ProgramIdentity?, read: (_ path: [UInt8]) -> Result<FileText, FileFailure>
    ) {
        parsed = ParsedConfiguration(Configuration())
        var variables = variables
        if !options.proxies.isEmpty {
            variables.proxies = joined(options.proxies)
        } else if options.file != nil {
            variables.proxies = nil
        }
        if let file = options.file { variables.file = file }
        let search = ConfigurationSearch(variables)
        let chain = readChain(options.proxies, search.proxies)
        readFile(search.candidates, program, read)
        if let chain {
            parsed.replaceProxies(with: chain)
        } else if file == nil, mistakes.isEmpty {
            mistakes.append(.noConfiguration(searched: search.candidates.map { $0.path }))
            return
        }
        addDirectPatterns(options.direct, variables.direct)
        if mistakes.isEmpty {
            for obstacle in parsed.obstacles { mistakes.append(.inText(obstacle, source(of: obstacle))) }
        }
        decideUnreachable(options.unreachable, variables.unreachable)
    }

    /// Inserts the passwords from files and variables. A missing one is a mistake.
    ///
    /// - Parameters:
    ///   - read: reads the file at a path.
    ///   - variable: the value of an environment variable.
    public mutating func readPasswords(
        read: (_ path: [UInt8]) -> Result<FileText, FileFailure>, variable: (_ name: [UInt8]) -> [UInt8]?
    ) {
        let former = parsed.errors.count
        var exposed: [[UInt8]] = []
        parsed.readPasswords { source in
            switch source {
            case .variable(let name): return variable(name)
            case .file(let path):
                guard case .success(let file) = read(path) else { return nil }
                if file.isReadableByOthers { exposed.append(path) }
                return file.bytes
            }
        }
        for path in exposed { warnings.append(.exposedFile(path: path)) }
        for error in parsed.errors[former...] { mistakes.append(.inText(error, source(of: error))) }
    }

    /// The positions of the deciding lines and options.
    public var places: DecisionPlaces { DecisionPlaces(self) }

    /// The chain that replaces the file's; nil without one. Parses each `-x` separately, so that columns count from its
    /// beginning.
    private mutating func readChain(_ options: [[UInt8]], _ variable: [UInt8]?) -> ParsedConfiguration? {
        for (index, text) in options.enumerated() {
            let number = options.count == 1 ? nil : index + 1
            note(Configuration.parse(proxyURLs: text.span), of: .proxyOption(number: number))
        }
        guard options.isEmpty else {
            proxySource = .proxyOption(number: nil)
            return Configuration.parse(proxyURLs: joined(options).span)
        }
        guard let variable else { return nil }
        proxySource = .proxyVariable
        let chain = Configuration.parse(proxyURLs: variable.span)
        note(chain, of: .proxyVariable)
        return chain
    }

    /// Reads the first candidate that exists.
    private mutating func readFile(
        _ candidates: [ConfigurationSearch.Candidate], _ program: () -> ProgramIdentity?,
        _ read: (_ path: [UInt8]) -> Result<FileText, FileFailure>
    ) {
        for candidate in candidates {
            switch read(candidate.path) {
            case .failure(.absent) where !candidate.isRequired: continue
            case .failure(let failure): mistakes.append(.unreadableFile(path: candidate.path, failure))
            case .success(let text):
                file = candidate
                parsed = Configuration.parse(
                    text.bytes.span, style: candidate.style,
                    program: Configuration.mayNamePrograms(text.bytes.span) ? program() : nil)
                let source = ConfigurationSource.file(path: candidate.path)
                note(parsed, of: source)
                for warning in parsed.warnings { warnings.append(.inText(warning, source)) }
                if text.isReadableByOthers, parsed.configuration.holdsPasswords {
                    warnings.append(.exposedFile(path: candidate.path))
                }
            }
            return
        }
    }

    private mutating func addDirectPatterns(_ options: [[UInt8]], _ variable: [UInt8]?) {
        var patterns = options
        for text in options { note(Configuration.parse(directPatterns: text.span), of: .directOption) }
        if let variable, !variable.isEmpty {
            patterns.append(variable)
            note(Configuration.parse(directPatterns: variable.span), of: .directVariable)
        }
        guard !patterns.isEmpty else { return }
        directPatterns = joined(patterns)
        let rules = Configuration.parse(directPatterns: directPatterns.span)
        directRuleCount = rules.configuration.rules.count
        parsed.goAround(rules)
    }

    private mutating func decideUnreachable(_ option: UnreachablePolicy?, _ variable: [UInt8]?) {
        if let option {
            parsed.configuration.unreachable = option
        } else if let variable, !variable.isEmpty {
            let policy = UnreachablePolicy(parsing: variable.span)
            if policy == nil { mistakes.append(.unknownPolicy) }
            parsed.configuration.unreachable = policy ?? .block
        }
    }

    private mutating func note(_ text: ParsedConfiguration, of source: ConfigurationSource) {
        for error in text.errors { mistakes.append(.inText(error, source)) }
    }

    /// Options and variables have no lines: line 0 means the source of the default chain.
    private func source(of error: ConfigurationError) -> ConfigurationSource {
        if error.position.line == 0, let proxySource { return proxySource }
        return .file(path: file?.path ?? [])
    }
}

/// Joins texts with commas.
private func joined(_ texts: [[UInt8]]) -> [UInt8] {
    var all: [UInt8] = []
    for (index, text) in texts.enumerated() {
        if index > 0 { all.append(UInt8(ascii: ",")) }
        all.append(text.span)
    }
    return all
}
