import CKernel

/// A file without a name that has, or is to have, a copy of the memory that this process shares with others: regions, one
/// behind the other.
struct SharedCopy {
    let descriptor: Int32
    /// Where the next region begins.
    private var end = 0

    /// nil when there is none to be had.
    init?() {
        descriptor = Int32(truncatingIfNeeded: kernel_open_memory())
        if descriptor < 0 { return nil }
    }

    /// One that was made before.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Where a region of this size begins in it; they come in the order in which they were added.
    mutating func next(size: Int) -> Int {
        defer { end += (size + 0xffff) & ~0xffff }
        return end
    }

    /// Adds a region: of its pages those that are there. False when there is no room.
    ///
    /// - Parameter wholeSize: that of the region, of which `mappedSize` bytes are mapped.
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
                let place = (page + index) * pageSize
                guard kernel_write_at(descriptor, start + place, pageSize, offset + place) == pageSize else {
                    return false
                }
            }
            page += pages.count
        }
        return true
    }
}
