import Addressing
import CPreload
import ProxyConfig

/// Finds and reads the configuration of the process: the environment that the process began with, and files.
struct ConfigurationSource {
    /// Files with passwords that others than their owner can read.
    private var exposedFiles: [[UInt8]] = []

    /// What a file could not be read for, though it may be readable at another time.
    private var shortage: Errno?

    /// Whether mistakes are told.
    private let isQuiet: Bool

    enum Failure: Error {
        /// There is none, or it has a mistake, which a line on standard error has said: no connection is made at all.
        case unusable
        /// There was no descriptor, or no memory, to read it, or its file system did not answer.
        case short(Errno)
    }

    static func load(isQuiet: Bool) -> Result<Configuration, Failure> {
        var source = ConfigurationSource(isQuiet: isQuiet)
        if let configuration = source.load() { return .success(configuration) }
        return .failure(source.shortage.map { .short($0) } ?? .unusable)
    }

    private init(isQuiet: Bool) {
        self.isQuiet = isQuiet
    }

    private mutating func load() -> Configuration? {
        let wish = LogWish(variable("SOCKSIFY_LOG"))
        if let path = wish.file { Log.useFile(path) }
        let search = ConfigurationSearch(environment())
        var urls: ParsedConfiguration?
        if let text = search.proxies {
            urls = accept(Configuration.parse(proxyURLs: text.span), source: Array("SOCKSIFY_PROXY"))
            if urls == nil { return nil }
        }
        var parsed: ParsedConfiguration
        var path: [UInt8] = []
        switch readFile(search) {
        case .unusable: return nil
        case .none:
            guard let urls else {
                complain {
                    $0.append("no proxy is configured; set SOCKSIFY_PROXY=socks5://HOST:PORT or write ")
                    $0.append("/etc/socksify.conf")
                }
                return nil
            }
            parsed = urls
        case .read(let file, let itsPath):
            (parsed, path) = (file, itsPath)
            if let urls { parsed.replaceProxies(with: urls) }
        }
        if let patterns = variable("SOCKSIFY_DIRECT"), !patterns.isEmpty {
            let read = Configuration.parse(directPatterns: patterns.span)
            guard let direct = accept(read, source: Array("SOCKSIFY_DIRECT")) else { return nil }
            parsed.goAround(direct)
        }
        if let obstacle = parsed.obstacles.first {
            let source = obstacle.position.line > 0 ? path : Array("SOCKSIFY_PROXY")
            complain { obstacle.write(to: &$0, source: source.span) }
            return nil
        }
        var configuration = parsed.configuration
        if let level = wish.level { configuration.logLevel = level }
        if wish.file == nil, let path = configuration.logFile { Log.useFile(path) }
        if !wish.isUnderstood {
            Log.write(.error, configuration) {
                $0.append("SOCKSIFY_LOG: expected off, error, warn, info or debug, ")
                $0.append("and perhaps ':' and an absolute path")
            }
        }
        if let word = variable("SOCKSIFY_UNREACHABLE"), !word.isEmpty {
            let policy = UnreachablePolicy(parsing: word.span)
            if policy == nil {
                Log.write(.error, configuration) { $0.append("SOCKSIFY_UNREACHABLE: expected nonet, block or direct") }
            }
            configuration.unreachable = policy ?? .block
        }
        warnOfExposedFiles(configuration)
        return configuration
    }

    // MARK: The environment

    private func environment() -> ConfigurationSearch.Environment {
        ConfigurationSearch.Environment(
            proxies: variable("SOCKSIFY_PROXY"), file: variable("SOCKSIFY_CONF"),
            configurationHome: variable("XDG_CONFIG_HOME"), home: variable("HOME"),
            proxychainsFile: variable("PROXYCHAINS_CONF_FILE"))
    }

    private func variable(_ name: StaticString) -> [UInt8]? {
        guard let value = socksify_captured_variable(cString(name)) else { return nil }
        return Array(bytes(of: value))
    }

    // MARK: Files

    private enum File {
        case none
        /// It cannot be used, which a line has said.
        case unusable
        case read(ParsedConfiguration, path: [UInt8])
    }

    /// The file that decides: the first that is there.
    private mutating func readFile(_ search: ConfigurationSearch) -> File {
        for candidate in search.candidates {
            switch FileContents.read(candidate.path) {
            case .success(let file): return take(file, as: candidate)
            case .failure(.absent) where !candidate.isRequired: continue
            case .failure(let failure):
                if !isShort(failure) { complain(of: candidate.path, failure) }
                return .unusable
            }
        }
        return .none
    }

    private mutating func take(_ file: FileContents, as candidate: ConfigurationSearch.Candidate) -> File {
        let program = Configuration.mayNamePrograms(file.bytes.span) ? ProgramIdentity.ofProcess : nil
        let read = Configuration.parse(file.bytes.span, style: candidate.style, program: program)
        guard let parsed = accept(read, source: candidate.path) else { return .unusable }
        if file.isReadableByOthers, parsed.configuration.holdsPasswords { exposedFiles.append(candidate.path) }
        handOn(candidate.path)
        return .read(parsed, path: candidate.path)
    }

    /// Whether it was for want of descriptors or memory, which is not told. Noted where another time may be better.
    private mutating func isShort(_ failure: FileContents.Failure) -> Bool {
        switch failure {
        case .refused(let errno) where errno.isShortage:
            shortage = errno
            return true
        case .silent: shortage = .timedOut
        default: break
        }
        return false
    }

    private func handOn(_ path: [UInt8]) {
        guard socksify_captured_variable(cString("SOCKSIFY_CONF")) == nil else { return }
        withCString(path) { socksify_hand_on_configuration_file($0) }
    }

    // MARK: What it says

    /// The values with their passwords if there is no mistake. The first one is told, the command line tool tells all.
    private mutating func accept(_ read: ParsedConfiguration, source: [UInt8]) -> ParsedConfiguration? {
        var parsed = read
        if parsed.errors.isEmpty { parsed.readPasswords { password(from: $0) } }
        guard let error = parsed.errors.first else { return parsed }
        if shortage == nil { complain { error.write(to: &$0, source: source.span) } }
        return nil
    }

    /// What the program began with goes first, as it is what its children are given.
    private mutating func password(from source: PasswordSource) -> [UInt8]? {
        switch source {
        case .file(let path):
            switch FileContents.read(path) {
            case .success(let file):
                if file.isReadableByOthers { exposedFiles.append(path) }
                return file.bytes
            case .failure(let failure):
                _ = isShort(failure)
                return nil
            }
        case .variable(let name):
            return withCString(name) { name in
                (socksify_captured_variable(name) ?? socksify_program_variable(name)).map { Array(bytes(of: $0)) }
            }
        }
    }

    /// Once in a tree of processes, too.
    private func warnOfExposedFiles(_ configuration: Configuration) {
        guard !exposedFiles.isEmpty, LogLevel.warning.rawValue <= configuration.logLevel.rawValue else { return }
        var all = LogLine()
        for path in exposedFiles { all.append(path.span) }
        guard SharedTable.isNews(all.digest) else { return }
        for path in exposedFiles {
            Log.write(.warning, configuration) {
                $0.append(path.span)
                $0.append(": others than its owner can read this file, which has a password")
            }
        }
    }

    private func complain(of path: [UInt8], _ failure: FileContents.Failure) {
        complain { line in
            line.append(path.span)
            line.append(": this configuration file cannot be read")
            failure.write(to: &line)
        }
    }

    /// Says why no connection is made, for all processes of a tree once: a shell would have it said by every command.
    private func complain(_ compose: (inout LogLine) -> Void) {
        guard !isQuiet else { return }
        var message = LogLine()
        compose(&message)
        message.append("; no connection will be made")
        guard SharedTable.isNews(message.digest) else { return }
        Log.write { $0.append(message.text) }
    }
}

extension FileContents.Failure {
    /// Behind what says that it cannot be read.
    fileprivate func write(to line: inout LogLine) {
        switch self {
        case .absent: break
        case .refused(let errno):
            line.append(": ")
            errno.write(to: &line)
        case .noRegularFile: line.append(": it is no regular file")
        case .silent: line.append(": its file system does not answer")
        case .tooLarge:
            line.append(": it has more than ")
            line.append(decimal: FileContents.largest)
            line.append(" bytes")
        }
    }
}

extension Array where Element == UInt8 {
    init(_ bytes: Span<UInt8>) {
        self = []
        reserveCapacity(bytes.count)
        for index in bytes.indices { append(bytes[index]) }
    }

    init(_ text: StaticString) {
        self = []
        append(text)
    }
}
