import CLibC
import Synchronization
import TableMemory

/// Memory that processes share, or a part of it.
///
/// A file of /dev/shm may be longer than the room that is left there: a page that is touched when there is none ends
/// the process (SIGBUS). So every page is made before it is touched, in a call that may fail, once in each process.
struct SharedMemory: TableMemory, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    /// Where the part begins in the whole, and the size of the whole, in bytes.
    private let offset: Int
    private let wholeSize: Int
    /// A bit for each page that was made, private to the process.
    private let pages: UnsafeMutableRawPointer
    /// Whether pages are made before they are touched. Linux before 5.14 cannot.
    private let isPopulated: Bool

    /// The size of the map of pages that so much memory needs.
    static func pagesSize(for size: Int) -> Int {
        (size / smallestPageSize + 64) / 64 * 8
    }
    private static var smallestPageSize: Int { 4096 }
    private static var pageSize: Int { max(Int(truncatingIfNeeded: kernel_page_size()), smallestPageSize) }

    /// Memory for as many processes as map the file; nil when the file or its first page cannot be had.
    ///
    /// - Parameter pages: `pagesSize(for: size)` bytes, zero-filled, private.
    init?(_ file: SharedTableFile, size: Int, pages: UnsafeMutableRawPointer) {
        guard let mapped = file.map(size: size) else { return nil }
        base = mapped
        (offset, wholeSize) = (0, size)
        self.pages = pages
        isPopulated = true
        guard reach(offset: 0, size: 1) else {
            kernel_unmap(mapped, size)
            return nil
        }
    }

    /// Memory for this process and those that fork from it; nil when there is no address space.
    init?(forkedFrom size: Int, pages: UnsafeMutableRawPointer) {
        let mapped = kernel_map_shared(size)
        guard mapped >= 0, let base = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        self.base = base
        (offset, wholeSize) = (0, size)
        self.pages = pages
        isPopulated = kernel_populate(base, SharedMemory.pageSize) != -Int(EINVAL)
    }

    private init(_ whole: SharedMemory, from offset: Int) {
        base = whole.base + offset
        self.offset = whole.offset + offset
        wholeSize = whole.wholeSize
        pages = whole.pages
        isPopulated = whole.isPopulated
    }

    /// What lies behind the first `offset` bytes.
    func dropping(_ offset: Int) -> SharedMemory { SharedMemory(self, from: offset) }

    /// Whether these bytes can be touched, from now on. Costs a system call for each page that is new to the process.
    func reach(offset: Int, size: Int) -> Bool {
        let rest = wholeSize - self.offset
        guard (0...rest).contains(offset), size > 0, size <= rest - offset else { return false }
        guard isPopulated else { return true }
        let start = self.offset + offset
        let pageSize = SharedMemory.pageSize
        for page in start / pageSize...(start + size - 1) / pageSize where !reach(page: page, pageSize) { return false }
        return true
    }

    private func reach(page: Int, _ pageSize: Int) -> Bool {
        let word = (pages + page / 64 * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        let bit = UInt64(1) << UInt64(page % 64)
        if word.pointee.load(ordering: .relaxed) & bit != 0 { return true }
        guard kernel_populate(base - offset + page * pageSize, pageSize) == 0 else { return false }
        word.pointee.bitwiseOr(bit, ordering: .relaxed)
        return true
    }
}
