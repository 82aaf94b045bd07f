import TableMemory

/// Memory that records which of its pages were accessed. Only the first 64 bytes lie at its base.
final class CountingMemory: TableMemory, @unchecked Sendable {
    let base = zeroedMemory(64)
    private let elsewhere: UnsafeMutableRawPointer
    var pages: Set<Int> = []
    var isFull = false

    init(size: Int) {
        elsewhere = zeroedMemory(size)
    }

    func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer? {
        guard !isFull else { return nil }
        pages.formUnion(offset / 4096...(offset + size - 1) / 4096)
        return elsewhere + offset
    }
}
