/// A mistake that makes a configuration unusable.
public enum ConfigurationMistake: Equatable, Sendable {
    /// No option or variable gives a proxy, and none of these files exists.
    case noConfiguration(searched: [[UInt8]])
    /// The chosen file cannot be read.
    case unreadableFile(path: [UInt8], FileFailure)
    case inText(ConfigurationError, ConfigurationSource)
    /// `SOCKSIFY_UNREACHABLE` has an unknown value. The policy is then `block`, for a caller that continues.
    case unknownPolicy
}
