/// A numeric option of getsockopt(2).
public struct SocketOption: Equatable, Sendable {
    public let level: Int32
    public let name: Int32

    public init(_ level: Int32, _ name: Int32) {
        self.level = level
        self.name = name
    }

    /// Never 0. Levels and options are small numbers.
    var key: UInt64 {
        1 << 31 | UInt64(UInt16(truncatingIfNeeded: level)) << 12 | UInt64(name & 0xfff)
    }
}
