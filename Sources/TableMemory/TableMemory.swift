/// Memory for a table: zero-filled before the first use, and of which no part is touched before it was reached.
///
/// Memory that processes share is mapped by need, and made page by page, and there may be none left: what cannot be
/// reached would end the process that touches it. A table treats it as if nothing could be found or kept there.
public protocol TableMemory {
    /// Where the memory begins, aligned to 64 bytes. Its first 64 bytes have been reached.
    var base: UnsafeMutableRawPointer { get }

    /// Where these bytes lie, which can be touched there from now on; nil when there is no memory for them. That they
    /// are found at another address the next time does no harm.
    ///
    /// - Parameter offset: in bytes from the beginning. What is reached at once lies in one piece.
    func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer?
}

/// Memory all of which is there.
public struct ReadyMemory: TableMemory, @unchecked Sendable {
    public let base: UnsafeMutableRawPointer

    public init(base: UnsafeMutableRawPointer) {
        self.base = base
    }

    public func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer? { base + offset }
}
