/// A valid part of a configuration that may have an unintended effect.
public enum ConfigurationWarning: Equatable, Sendable {
    case inText(ConfigurationError, ConfigurationSource)
    /// The file contains a password and is readable by users other than its owner.
    case exposedFile(path: [UInt8])
}
