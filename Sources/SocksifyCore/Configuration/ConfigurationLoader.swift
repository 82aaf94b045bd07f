import Addressing
import CPreload
import ProxyConfig

/// Loads the configuration of the process from its initial environment and from files, and logs mistakes.
struct ConfigurationLoader {
    /// A temporary error that kept a file from being read.
    private var shortage: Errno?

    /// True if mistakes are not logged.
    private let isQuiet: Bool

    enum Failure: Error {
        /// There is no configuration, or it has a mistake, which was logged: every connection fails.
        case unusable
        /// There was no descriptor or memory to read it, or its file system did not answer.
        case short(Errno)
    }

    /// The result.
    struct Loaded {
        var configuration: Configuration
        let places: DecisionPlaces
    }

    static func load(isQuiet: Bool) -> Result<Loaded, Failure> {
        var loader = ConfigurationLoader(isQuiet: isQuiet)
        if let loaded = loader.load() { return .success(loaded) }
        return .failure(loader.shortage.map { .short($0) } ?? .unusable)
    }

    private init(isQuiet: Bool) {
        self.isQuiet = isQuiet
    }

    private mutating func load() -> Loaded? {
        let wish = LogSetting(variable("SOCKSIFY_LOG"))
        if let path = wish.file { Log.useFile(path) }
        var assembly = ConfigurationAssembly(
            ConfigurationSearch.Environment(variable), program: { ProgramIdentity.ofProcess }, read: { read($0) })
        guard accept(assembly) else { return nil }
        assembly.readPasswords(read: { read($0) }, variable: programVariable)
        guard accept(assembly) else { return nil }
        if let file = assembly.file { handOn(file.path) }
        var configuration = assembly.parsed.configuration
        if let level = wish.level { configuration.logLevel = level }
        if wish.file == nil, let path = configuration.logFile { Log.useFile(path) }
        if !wish.isUnderstood {
            Log.write(.error, configuration) {
                $0.append("SOCKSIFY_LOG: expected off, error, warn, info or debug, ")
                $0.append("and perhaps ':' and an absolute path")
            }
        }
        if case .unknownPolicy? = assembly.mistakes.last {
            Log.write(.error, configuration) { $0.append("SOCKSIFY_UNREACHABLE: expected nonet, block or direct") }
        }
        warnOfExposedFiles(assembly.warnings, configuration)
        return Loaded(configuration: configuration, places: assembly.places)
    }

    // MARK: What it reads

    private func variable(_ name: StaticString) -> [UInt8]? {
        guard let value = environment_captured(cString(name)) else { return nil }
        return Array(bytes(of: value))
    }

    /// The initial environment goes first, because the program's children get it.
    private func programVariable(_ name: [UInt8]) -> [UInt8]? {
        withCString(name) { name in
            (environment_captured(name) ?? environment_of_program(name)).map { Array(bytes(of: $0)) }
        }
    }

    /// Remembers a temporary error.
    private mutating func read(_ path: [UInt8]) -> Result<FileText, FileFailure> {
        let file = FileContents.read(path)
        switch file {
        case .failure(.refused(let errno)) where Errno(errno).isShortage: shortage = Errno(errno)
        case .failure(.silent): shortage = .timedOut
        case .success, .failure: break
        }
        return file
    }

    private func handOn(_ path: [UInt8]) {
        guard environment_captured(cString("SOCKSIFY_CONF")) == nil else { return }
        withCString(path) { environment_hand_on_configuration_file($0) }
    }

    // MARK: What it says

    /// Whether connections may be made. Logs the first mistake only; the command line tool prints all.
    private func accept(_ assembly: ConfigurationAssembly) -> Bool {
        for mistake in assembly.mistakes {
            // It only affects unreachable programs, which are then not started.
            if case .unknownPolicy = mistake { continue }
            complain(of: mistake)
            return false
        }
        return true
    }

    private func complain(of mistake: ConfigurationMistake) {
        switch mistake {
        case .noConfiguration:
            complain {
                $0.append("no proxy is configured; set SOCKSIFY_PROXY=socks5://HOST:PORT or write ")
                $0.append("/etc/socksify.conf")
            }
        case .unreadableFile(_, .refused(let errno)) where Errno(errno).isShortage: break
        case .unreadableFile(let path, let failure):
            complain { line in
                line.append(path.span)
                line.append(": this configuration file cannot be read")
                failure.write(to: &line)
            }
        case .inText(let error, let source):
            // The mistake may be a password that could not be read for now.
            guard shortage == nil else { break }
            var name: [UInt8] = []
            source.write(to: &name)
            complain { error.write(to: &$0, source: name.span) }
        case .unknownPolicy: break
        }
    }

    /// Logs the warnings once in a process tree.
    private func warnOfExposedFiles(_ warnings: [ConfigurationWarning], _ configuration: Configuration) {
        guard LogLevel.warning.rawValue <= configuration.logLevel.rawValue else { return }
        var all = LogLine()
        for case .exposedFile(let path) in warnings { all.append(path.span) }
        guard !all.text.isEmpty, SharedTable.isNews(all.digest) else { return }
        for case .exposedFile(let path) in warnings {
            Log.write(.warning, configuration) {
                $0.append(path.span)
                $0.append(": this file has a password, and others than its owner can read it")
            }
        }
    }

    /// Logs why no connection is made, once in a process tree: otherwise every command of a shell would repeat it.
    private func complain(_ compose: (inout LogLine) -> Void) {
        guard !isQuiet else { return }
        var message = LogLine()
        compose(&message)
        message.append("; no connection will be made")
        guard SharedTable.isNews(message.digest) else { return }
        Log.write { $0.append(message.text) }
    }
}

extension FileFailure {
    /// Writes the reason, after the text that the file cannot be read.
    fileprivate func write(to line: inout LogLine) {
        switch self {
        case .absent: break
        case .refused(let errno):
            line.append(": ")
            Errno(errno).write(to: &line)
        case .noRegularFile: line.append(": it is not a regular file")
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
