import Glibc
import ProxyConfig

/// The configuration that holds for a command, found, read and checked.
public struct LoadedConfiguration {
    private var assembly: ConfigurationAssembly

    init(_ assembly: ConfigurationAssembly) {
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
