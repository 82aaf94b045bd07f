/// Memory for a table: zero-filled before the first use, and of which no part is touched before it was reached.
///
/// Memory that processes share by a file is made page by page, and there may be none left: what cannot be reached
/// would end the process that touches it (SIGBUS). A table treats it as if nothing could be found or kept there.
public protocol TableMemory {
    /// Where the memory begins, aligned to 64 bytes.
    var base: UnsafeMutableRawPointer { get }

    /// Whether these bytes can be touched, from now on.
    ///
    /// - Parameter offset: in bytes from `base`.
    func reach(offset: Int, size: Int) -> Bool
}

/// Memory all of which is there.
public struct ReadyMemory: TableMemory, @unchecked Sendable {
    public let base: UnsafeMutableRawPointer

    public init(base: UnsafeMutableRawPointer) {
        self.base = base
    }

    public func reach(offset: Int, size: Int) -> Bool { true }
}
