/// What keeps a configuration from being used.
public enum ConfigurationMistake: Equatable, Sendable {
    /// Nothing gives a proxy, and none of these files is there.
    case noConfiguration(searched: [[UInt8]])
    /// The file that decides cannot be read.
    case unreadableFile(path: [UInt8], FileFailure)
    case inText(ConfigurationError, ConfigurationSource)
    /// `SOCKSIFY_UNREACHABLE` says none of the words that it may. The policy is `block` then, for those who go on.
    case unknownPolicy
}
