import Addressing

/// The configuration of a process, put together from all that speaks of it: a command line, the environment, a file.
///
/// The one place that knows what goes before what:
///
/// - the default chain: `-x`; without that and `-f`, `SOCKSIFY_PROXY`; otherwise the file;
/// - the file: `-f`; `SOCKSIFY_CONF`; otherwise the first that `ConfigurationSearch` finds;
/// - rules: `--direct`, then `SOCKSIFY_DIRECT`, then those of the file;
/// - unreachable programs: `--unreachable`; `SOCKSIFY_UNREACHABLE`; otherwise the file;
/// - passwords that stand elsewhere: those of the chains that came of it, read by `readPasswords` alone.
///
/// Reading files and showing messages is for whoever calls.
public struct ConfigurationAssembly {
    /// What counts. With `mistakes` it is worth nothing: whoever connects nevertheless may go around the proxy.
    public private(set) var parsed: ParsedConfiguration
    /// The file that it was read from; nil where there is none.
    public private(set) var file: ConfigurationSearch.Candidate?
    /// What gave the default chain in place of the file.
    public private(set) var proxySource: ConfigurationSource?
    /// What goes around the proxies before all rules of the file, with commas.
    public private(set) var directPatterns: [UInt8] = []
    /// How many of the rules are made of these; they are the first.
    public private(set) var directRuleCount = 0
    /// All of them, so that a person can mend them at once: first those of the default chain's URLs.
    public private(set) var mistakes: [ConfigurationMistake] = []
    public private(set) var warnings: [ConfigurationWarning] = []

    /// - Parameters:
    ///   - program: gives the program for which sections count. Asked only where there may be some.
    ///   - read: reads the file of a path, or says why it cannot.
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

    /// Puts in passwords that stand elsewhere. One that cannot be had is a mistake.
    ///
    /// - Parameters:
    ///   - read: reads the file of a path.
    ///   - variable: gives the value of the environment variable of a name.
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

    /// Where that stands which decides.
    public var places: DecisionPlaces { DecisionPlaces(self) }

    /// The chain that stands in the place of the file's; nil where there is none. Each `-x` is judged by itself, so that
    /// columns count from its beginning.
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

    /// Reads the file that decides: the first that is there.
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

    /// What gives the default chain has no lines.
    private func source(of error: ConfigurationError) -> ConfigurationSource {
        if error.position.line == 0, let proxySource { return proxySource }
        return .file(path: file?.path ?? [])
    }
}

/// Texts as one, with commas.
private func joined(_ texts: [[UInt8]]) -> [UInt8] {
    var all: [UInt8] = []
    for (index, text) in texts.enumerated() {
        if index > 0 { all.append(UInt8(ascii: ",")) }
        all.append(text.span)
    }
    return all
}
