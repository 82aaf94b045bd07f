/// The log level; each includes those before it.
public enum LogLevel: UInt8, Equatable, Sendable {
    case off, error, warning, info, debug
}
