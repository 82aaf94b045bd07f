import Addressing
import Glibc
import ProxyConfig

/// The configuration that holds for a command, found, read and checked.
public struct LoadedConfiguration {
    public var parsed: ParsedConfiguration
    /// The file that it was read from; nil where there is none.
    public var file: ConfigurationSearch.Candidate?
    /// What gave the proxies in place of the file: `-x` or `SOCKSIFY_PROXY`.
    public var proxySource: String?
    /// What goes around the proxies before all rules of the file: `--direct` and `SOCKSIFY_DIRECT`, with commas.
    public var directPatterns: [UInt8] = []
    /// How many of the rules are made of these; they are the first.
    public var directRuleCount = 0
    /// Lines for the user about what works, but perhaps not as meant.
    public var warnings: [String] = []

    public var configuration: Configuration { parsed.configuration }

    /// What it was taken from, for the curious.
    public var origin: String {
        [proxySource, file?.path.shown].compactMap { $0 }.joined(separator: " and ")
    }
}

public enum ConfigurationLoading {
    /// More than any configuration has, and little enough to be read at once.
    public static let largestFile = 4 << 20

    /// Finds, reads and checks the configuration. What the command line says goes before the environment.
    ///
    /// - Parameters:
    ///   - directPatterns: `SOCKSIFY_DIRECT`, to which the command line adds.
    ///   - unreachable: `SOCKSIFY_UNREACHABLE`, in whose place the command line speaks.
    ///   - program: for which sections of programs count; nil for none.
    public static func load(
        _ options: ConfigurationOptions, environment: ConfigurationSearch.Environment,
        directPatterns: [UInt8]? = nil, unreachable: [UInt8]? = nil, program: ProgramIdentity? = nil
    ) throws(Failure) -> LoadedConfiguration {
        var environment = environment
        let urls = options.proxies.map(proxyURL)
        if !urls.isEmpty {
            environment.proxies = Array(urls.joined(separator: [UInt8(ascii: ",")]))
        } else if options.file != nil {
            environment.proxies = nil
        }
        if let file = options.file { environment.file = file }
        if let named = environment.file, !named.isEmpty { environment.file = absolutePath(named) ?? named }
        if let named = environment.proxychainsFile, !named.isEmpty {
            environment.proxychainsFile = absolutePath(named) ?? named
        }

        var messages: [String] = []
        let list = urlList(urls, environment, &messages)
        let search = ConfigurationSearch(environment)
        let found = try readFirst(search.candidates)
        guard list != nil || found != nil else { throw noConfiguration(search.candidates.map(\.path)) }

        var loaded = LoadedConfiguration(
            parsed: found.map { Configuration.parse($0.text.span, style: $0.candidate.style, program: program) }
                ?? ParsedConfiguration(Configuration()),
            file: found?.candidate)
        if let found {
            for error in loaded.parsed.errors { messages.append(render(error, found.candidate.path)) }
            for warning in loaded.parsed.warnings {
                loaded.warnings.append(render(warning, found.candidate.path))
            }
            if found.isReadableByOthers, loaded.configuration.holdsPasswords {
                loaded.warnings.append(readableByOthers(found.candidate.path))
            }
        }
        if let list {
            loaded.parsed.replaceProxies(with: list)
            loaded.proxySource = urls.isEmpty ? "SOCKSIFY_PROXY" : "-x"
        }
        addDirectPatterns(options.direct, inherited: directPatterns, to: &loaded, &messages)
        if let policy = options.unreachable {
            loaded.parsed.configuration.unreachable = policy
        } else if let unreachable, !unreachable.isEmpty {
            loaded.parsed.configuration.unreachable = UnreachablePolicy(parsing: unreachable.span)
            if loaded.configuration.unreachable == nil {
                messages.append("SOCKSIFY_UNREACHABLE: expected nonet, block or direct")
            }
        }
        if messages.isEmpty {
            for obstacle in loaded.parsed.obstacles {
                messages.append(loaded.render(obstacle))
            }
        }
        guard messages.isEmpty else { throw Failure(status: 125, messages) }
        return loaded
    }

    /// The chain that the command line or the environment gives; nil when neither does. Each `-x` is judged
    /// by itself, so that columns count from its beginning.
    private static func urlList(
        _ urls: [[UInt8]], _ environment: ConfigurationSearch.Environment, _ messages: inout [String]
    ) -> ParsedConfiguration? {
        guard let proxies = environment.proxies, !urls.isEmpty || !proxies.isEmpty else { return nil }
        if urls.isEmpty {
            for error in Configuration.parse(proxyURLs: proxies.span).errors {
                messages.append(render(error, Array("SOCKSIFY_PROXY".utf8)))
            }
        }
        for (index, url) in urls.enumerated() {
            let source = urls.count == 1 ? "-x" : "-x number \(index + 1)"
            for error in Configuration.parse(proxyURLs: url.span).errors {
                messages.append(render(error, Array(source.utf8)))
            }
        }
        if !messages.isEmpty {
            messages.append("a proxy is given as in socks5://127.0.0.1:1080, gw.example:1080 or /run/proxy.socket")
        }
        return Configuration.parse(proxyURLs: proxies.span)
    }

    private static func addDirectPatterns(
        _ given: [[UInt8]], inherited: [UInt8]?, to loaded: inout LoadedConfiguration, _ messages: inout [String]
    ) {
        var patterns = given.map { (source: "--direct", text: $0) }
        if let inherited, !inherited.isEmpty { patterns.append(("SOCKSIFY_DIRECT", inherited)) }
        for (source, text) in patterns {
            for error in Configuration.parse(directPatterns: text.span).errors {
                messages.append(render(error, Array(source.utf8)))
            }
        }
        guard !patterns.isEmpty else { return }
        loaded.directPatterns = Array(patterns.map(\.text).joined(separator: [UInt8(ascii: ",")]))
        let parsed = Configuration.parse(directPatterns: loaded.directPatterns.span)
        loaded.directRuleCount = parsed.configuration.rules.count
        loaded.parsed.goAround(parsed)
    }

    /// - Parameter source: the path of a file, an option or a variable. Of the latter two the text is not shown, because
    ///   there may be a password in it.
    fileprivate static func render(_ error: ConfigurationError, _ source: [UInt8]) -> String {
        var bytes: [UInt8] = []
        if error.position.line == 0, error.position.column > 0 {
            bytes += "\(source.shown), ".utf8
            error.write(to: &bytes)
        } else {
            error.write(to: &bytes, source: Array(source.shown.utf8).span)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private struct FoundFile {
        var candidate: ConfigurationSearch.Candidate
        var text: [UInt8]
        var isReadableByOthers: Bool
    }

    private static func readFirst(_ candidates: [ConfigurationSearch.Candidate]) throws(Failure) -> FoundFile? {
        for candidate in candidates {
            guard let file = OpenFile.open(candidate.path) else {
                let error = errno
                // The next one counts only where this one is not.
                if !candidate.isRequired, !OpenFile.isThere(candidate.path, error) { continue }
                throw .own("cannot read the configuration \(candidate.path.shown): \(describe(error))")
            }
            if file.status?.isDirectory ?? false {
                throw .own("cannot read the configuration \(candidate.path.shown): \(describe(EISDIR))")
            }
            guard let status = file.status, status.isRegularFile else {
                throw .own("the configuration \(candidate.path.shown) is no regular file")
            }
            guard let text = file.contents(atMost: largestFile + 1) else {
                throw .own("cannot read the configuration \(candidate.path.shown): \(describe(errno))")
            }
            guard text.count <= largestFile else {
                throw .own("the configuration \(candidate.path.shown) has more than \(largestFile) bytes")
            }
            return FoundFile(candidate: candidate, text: text, isReadableByOthers: status.isCarelesslyReadable)
        }
        return nil
    }

    private static func noConfiguration(_ places: [[UInt8]]) -> Failure {
        Failure(
            status: 125,
            [
                "which proxy? There is no configuration. Give a proxy, as in",
                "    socksify -x socks5://127.0.0.1:1080 command",
                "or a file, with -f FILE or in one of these places:",
            ] + places.map { "    \($0.shown)" } + [
                "with lines such as",
                "    [ProxyList]",
                "    socks5 127.0.0.1 1080",
            ])
    }
}

/// The warning of a file whose secrets are none.
func readableByOthers(_ path: Path) -> String {
    "\(path.shown) has passwords in it, and others than its owner can read it; what helps: chmod 600 \(path.shown)"
}

extension LoadedConfiguration {
    /// A mistake with its place, in the file or in what gives the proxies.
    func render(_ error: ConfigurationError) -> String {
        let source = error.position.line == 0 ? proxySource.map { Array($0.utf8) } : nil
        return ConfigurationLoading.render(error, source ?? file?.path ?? [])
    }
}

extension stat {
    /// Whether group or others can read the file, and the caller could change that: who cannot is not told.
    var isCarelesslyReadable: Bool {
        st_mode & (S_IRGRP | S_IROTH) != 0 && (st_uid == geteuid() || geteuid() == 0)
    }
}
