import CKernel

/// An anonymous file (memfd_create(2)) for a copy of this process' shared memory: regions, one after the other.
struct SharedCopy {
    let descriptor: Int32
    /// The offset of the next region.
    private var end = 0

    /// nil if the file cannot be created.
    init?() {
        descriptor = Int32(truncatingIfNeeded: kernel_open_memory())
        if descriptor < 0 { return nil }
    }

    /// An existing copy.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// The offset of the next region of this size; regions come in the order in which they were added.
    mutating func next(size: Int) -> Int {
        defer { end += (size + 0xffff) & ~0xffff }
        return end
    }

    /// Copies the existing pages of a region. False without room.
    ///
    /// - Parameter wholeSize: the size of the region, of which `mappedSize` bytes are mapped.
    mutating func add(_ start: UnsafeMutableRawPointer, mappedSize: Int, wholeSize: Int) -> Bool {
        let offset = next(size: wholeSize)
        guard kernel_set_size(descriptor, Int64(end)) == 0 else { return false }
        let pageSize = Int(kernel_page_size())
        var pages = InlineArray<256, UInt8>(repeating: 0)
        var page = 0
        while page * pageSize < mappedSize {
            let size = min(pages.count * pageSize, mappedSize - page * pageSize)
            let isTold = withUnsafeMutableBytes(of: &pages) { pages in
                pages.bindMemory(to: UInt8.self).baseAddress.map {
                    kernel_ask_pages(start + page * pageSize, size, $0) == 0
                }
            }
            guard isTold == true else { return false }
            for index in pages.indices where index * pageSize < size && pages[index] & 1 != 0 {
                let position = (page + index) * pageSize
                guard kernel_write_at(descriptor, start + position, pageSize, offset + position) == pageSize else {
                    return false
                }
            }
            page += pages.count
        }
        return true
    }
}
