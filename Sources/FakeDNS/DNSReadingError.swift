/// Why a message was not read.
public enum DNSReadingError: Error, Equatable, Sendable {
    /// It breaks off, or has a name, a record or an OPT that is wrong: whoever sent it is to be given up.
    case malformed
    /// It has another ID, is a query, or answers another question: the answer may yet come.
    case unrelated
    /// Its aliases lead in a circle, or are more than are followed.
    case tooManyAliases
}
