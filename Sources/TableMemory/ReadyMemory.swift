/// Memory that is completely available.
public struct ReadyMemory: TableMemory, @unchecked Sendable {
    public let base: UnsafeMutableRawPointer

    public init(base: UnsafeMutableRawPointer) {
        self.base = base
    }

    public func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer? { base + offset }
}
