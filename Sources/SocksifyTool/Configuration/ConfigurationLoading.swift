import Glibc
import ProxyConfig

/// The configuration that holds for a command, found, read and checked.
public struct LoadedConfiguration {
    private var assembly: ConfigurationAssembly

    fileprivate init(_ assembly: ConfigurationAssembly) {
        self.assembly = assembly
    }

    public var parsed: ParsedConfiguration { assembly.parsed }
    public var configuration: Configuration { assembly.parsed.configuration }
    /// The file that it was read from; nil where there is none.
    public var file: ConfigurationSearch.Candidate? { assembly.file }
    /// What gave the proxies in place of the file: `-x` or `SOCKSIFY_PROXY`.
    public var proxySource: String? { assembly.proxySource?.shown }
    /// Destinations that go direct before all rules of the file: `--direct` and `SOCKSIFY_DIRECT`, separated by commas.
    public var directPatterns: [UInt8] { assembly.directPatterns }
    /// The number of rules made from `directPatterns`; they come first.
    public var directRuleCount: Int { assembly.directRuleCount }
    /// The positions of the deciding lines and options.
    public var places: DecisionPlaces { assembly.places }
    /// Warnings, as lines for the user.
    public var warnings: [String] { assembly.warnings.map(\.sentence) }

    /// The sources, for messages.
    public var origin: String {
        [proxySource, file?.path.shown].compactMap { $0 }.joined(separator: " and ")
    }

    /// Inserts the passwords from files and variables.
    ///
    /// - Throws: a message for each missing password; without any of them the library refuses every connection.
    mutating func readPasswords() throws(Failure) {
        assembly.readPasswords(read: ConfigurationLoading.read, variable: { environmentValue($0.shown) })
        guard assembly.mistakes.isEmpty else { throw Failure(status: 125, assembly.mistakes.flatMap(\.messages)) }
    }
}

public enum ConfigurationLoading {
    /// More than any configuration has, and little enough to be read at once.
    public static let largestFile = 4 << 20

    /// Finds, reads and checks the configuration. What the command line says goes before the environment.
    ///
    /// - Parameter program: for which sections of programs count; nil for none.
    public static func load(
        _ options: ConfigurationOptions, environment: ConfigurationSearch.Environment = .ofProcess,
        program: ProgramIdentity? = nil
    ) throws(Failure) -> LoadedConfiguration {
        var (options, environment) = (options, environment)
        options.proxies = options.proxies.map(proxyURL)
        options.file = options.file.map(fromRoot)
        environment.file = environment.file.map(fromRoot)
        environment.proxychainsFile = environment.proxychainsFile.map(fromRoot)
        let assembly = ConfigurationAssembly(environment, options, program: { program }, read: read)
        guard assembly.mistakes.isEmpty else { throw Failure(status: 125, messagesWithExample(assembly.mistakes)) }
        return LoadedConfiguration(assembly)
    }

    /// The command need not be in this directory.
    private static func fromRoot(_ path: Path) -> Path {
        path.isEmpty ? path : absolutePath(path) ?? path
    }

    fileprivate static func read(_ path: Path) -> Result<FileText, FileFailure> {
        guard let file = OpenFile.open(path) else {
            let error = errno
            return .failure(OpenFile.isThere(path, error) ? .refused(errno: error) : .absent(errno: error))
        }
        guard let status = file.status, !status.isDirectory else { return .failure(.refused(errno: EISDIR)) }
        guard status.isRegularFile else { return .failure(.noRegularFile) }
        guard let text = file.contents(atMost: largestFile + 1) else { return .failure(.refused(errno: errno)) }
        guard text.count <= largestFile else { return .failure(.tooLarge) }
        return .success(FileText(text, isReadableByOthers: status.isCarelesslyReadable))
    }
}

extension ConfigurationSearch.Environment {
    /// That of this process.
    public static var ofProcess: ConfigurationSearch.Environment {
        ConfigurationSearch.Environment { environmentValue("\($0)") }
    }
}

extension stat {
    /// Whether group or others can read the file, and the caller can change that; otherwise there is no warning.
    var isCarelesslyReadable: Bool {
        st_mode & (S_IRGRP | S_IROTH) != 0 && (st_uid == geteuid() || geteuid() == 0)
    }
}
