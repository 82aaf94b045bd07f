/// What works, but perhaps not as it was meant.
public enum ConfigurationWarning: Equatable, Sendable {
    case inText(ConfigurationError, ConfigurationSource)
    /// A password stands in this file, which others than its owner can read.
    case exposedFile(path: [UInt8])
}
