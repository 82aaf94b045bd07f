import Addressing
import Glibc
import ProxyConfig

/// The configuration as it is handed on to the library: checked, and the same for a whole tree of processes.
public struct HandedConfiguration: Equatable {
    /// Variables to set; nil removes one.
    public var environment: [(name: String, value: [UInt8]?)] = []
    /// Lines for the user about what works, but perhaps not as meant.
    public var warnings: [String] = []
    /// What it was taken from, for the curious.
    public var origin = ""

    public static func == (left: HandedConfiguration, right: HandedConfiguration) -> Bool {
        left.warnings == right.warnings && left.origin == right.origin
            && left.environment.elementsEqual(right.environment) {
                $0.name == $1.name && $0.value == $1.value
            }
    }
}

public enum ConfigurationLoading {
    /// More than any configuration has, and little enough to be read at once.
    public static let largestFile = 1 << 20

    /// Finds, reads and checks the configuration.
    ///
    /// What the command line says goes before the environment. `urls` are the values of `-x`, each one or
    /// more hops; `file` is that of `-f`.
    /// - Parameter resolve: gives an address for the name of the first proxy, or the reason why there is
    /// none;   nil to leave the name to the library.
    public static func load(
        urls: [[UInt8]], file: [UInt8]?, environment: ConfigurationSearch.Environment,
        resolve: ((HostName) -> Result<IPAddress, Failure>)?
    ) throws(Failure) -> HandedConfiguration {
        var environment = environment
        if !urls.isEmpty {
            environment.proxies = Array(urls.joined(separator: [UInt8(ascii: ",")]))
        } else if file != nil {
            environment.proxies = nil
        }
        if let file { environment.file = file }
        if let named = environment.file, !named.isEmpty { environment.file = absolutePath(named) ?? named }
        if let named = environment.proxychainsFile, !named.isEmpty {
            environment.proxychainsFile = absolutePath(named) ?? named
        }

        var handed = HandedConfiguration()
        var messages: [String] = []
        let list = urlList(urls, environment, &messages)
        let search = ConfigurationSearch(environment)
        let found = try readFirst(search.candidates)
        guard list != nil || found != nil else { throw noConfiguration(search.candidates.map(\.path)) }

        var parsed: ParsedConfiguration
        if let found {
            parsed = Configuration.parse(found.text.span, style: found.candidate.style)
            for error in parsed.errors { messages.append(render(error, found.candidate.path)) }
            for warning in parsed.warnings {
                handed.warnings.append(render(warning, found.candidate.path))
            }
            handed.environment.append(("SOCKSIFY_CONF", found.candidate.path))
            if found.candidate.style != ConfigurationStyle(fileName: found.candidate.path.span) {
                // The style does not show in the name; the library is told in the same way as this program
                // was.
                handed.environment.append(("PROXYCHAINS_CONF_FILE", found.candidate.path))
            }
            handed.origin = found.candidate.path.shown
        } else {
            parsed = ParsedConfiguration(Configuration())
            handed.environment.append(("SOCKSIFY_CONF", nil))
        }
        if let list { parsed.replaceProxies(with: list) }
        if messages.isEmpty {
            for obstacle in parsed.obstacles {
                let isOfList = list != nil && obstacle.position.line == 0
                messages.append(
                    render(obstacle, isOfList ? Array(listName(urls).utf8) : found?.candidate.path ?? []))
            }
        }
        guard messages.isEmpty else { throw Failure(status: 125, messages) }

        if list != nil {
            var proxies = parsed.configuration.proxies
            if let resolve, case .network(let first)? = proxies.first?.location, case .name(let name) = first.host {
                let address = try resolve(name).get()
                proxies[0].location = .network(Endpoint(host: .address(address), port: first.port))
            }
            var value: [UInt8] = []
            for proxy in proxies {
                if !value.isEmpty { value.append(UInt8(ascii: ",")) }
                proxy.writeURL(to: &value)
            }
            handed.environment.append(("SOCKSIFY_PROXY", value))
            handed.origin = listName(urls) + (handed.origin.isEmpty ? "" : " and " + handed.origin)
        } else {
            handed.environment.append(("SOCKSIFY_PROXY", nil))
        }
        return handed
    }

    private static func listName(_ urls: [[UInt8]]) -> String { urls.isEmpty ? "SOCKSIFY_PROXY" : "-x" }

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
        return Configuration.parse(proxyURLs: proxies.span)
    }

    private static func render(_ error: ConfigurationError, _ source: [UInt8]) -> String {
        var bytes: [UInt8] = []
        error.write(to: &bytes, source: Array(source.shown.utf8).span)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func readFirst(
        _ candidates: [ConfigurationSearch.Candidate]
    ) throws(Failure) -> (candidate: ConfigurationSearch.Candidate, text: [UInt8])? {
        for candidate in candidates {
            guard let file = OpenFile.open(candidate.path) else {
                let error = errno
                if !candidate.isRequired, error == ENOENT || error == ENOTDIR || error == EACCES { continue }
                throw .own("cannot read the configuration \(candidate.path.shown): \(describe(error))")
            }
            if file.status?.isDirectory ?? false {
                throw .own("cannot read the configuration \(candidate.path.shown): \(describe(EISDIR))")
            }
            guard file.status?.isRegularFile ?? false else {
                throw .own(
                    "the configuration \(candidate.path.shown) is no regular file"
                )
            }
            let text = file.read(largestFile + 1, at: 0)
            guard text.count <= largestFile else {
                throw .own("the configuration \(candidate.path.shown) has more than \(largestFile) bytes")
            }
            return (candidate, text)
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
