/// Where a password is that does not stand in the configuration.
public enum PasswordSource: Equatable, Sendable {
    /// The first line of the file of this path.
    case file([UInt8])
    /// The value of the environment variable of this name.
    case variable([UInt8])
}
