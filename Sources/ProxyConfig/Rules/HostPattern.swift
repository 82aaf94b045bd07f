/// A `host` criterion, in lower case, without a final dot.
public enum HostPattern: Equatable, Sendable {
    /// This name.
    case name([UInt8])
    /// This domain, given with a dot in front, and the names within it. Kept without the dot.
    case domain([UInt8])
    /// `*` matches any bytes, dots included, `?` one byte.
    case glob([UInt8])
}
