/// Why a message was not read.
public enum DNSReadingError: Error, Equatable, Sendable {
    /// It is truncated, or has an invalid name, record or OPT: give up its sender.
    case malformed
    /// It has another ID, is a query, or answers another question: the right answer may still come.
    case unrelated
    /// Its aliases form a loop, or are too many.
    case tooManyAliases
}
