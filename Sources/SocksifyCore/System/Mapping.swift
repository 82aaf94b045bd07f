import CKernel

/// Zero-filled memory of the process, mapped apart from any heap.
struct Mapping {
    let start: UnsafeMutableRawPointer
    private let size: Int

    /// nil when there is no memory.
    init?(_ size: Int) {
        let mapped = kernel_map(size)
        guard mapped >= 0, let start = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        (self.start, self.size) = (start, size)
    }

    /// One that was made before.
    init(_ start: UnsafeMutableRawPointer, _ size: Int) {
        (self.start, self.size) = (start, size)
    }

    func unmap() { kernel_unmap(start, size) }
}
