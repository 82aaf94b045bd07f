import CKernel
import Synchronization
import TableMemory

/// Memory that processes share and map on demand: a part of a file, which may be anonymous.
///
/// Address space is limited (RLIMIT_AS, and RLIMIT_MEMLOCK for a program with mlockall(2)), so only the first page is
/// mapped from the start. Access beyond it maps the beginning again (mremap(2) with an old size of 0), in one of a few
/// lengths, each twice the previous one. So an address is found in one step, and memory in use never moves. This needs
/// neither the file's path nor a descriptor nor permission, and gives the same memory before and after a fork.
///
/// A file in /dev/shm may be longer than the free space there: touching a page without space kills the process
/// (SIGBUS). So each process populates every page before it touches it, in a call that may fail.
struct SharedMemory: TableMemory, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    /// The offset in the part, and the part's size, in bytes.
    private let offset: Int
    private let size: Int
    /// Private: the addresses of the mappings of each length, and a bit for each populated page.
    private let notes: UnsafeMutableRawPointer
    /// Whether pages are populated before use. Linux before 5.14 cannot.
    private let isPopulated: Bool

    /// Bytes of private memory for shared memory of this size.
    static func notesSize(for size: Int) -> Int {
        lengthCount * 8 + (size / smallestPageSize + 64) / 64 * 8
    }
    private static var smallestPageSize: Int { 4096 }
    private static var pageSize: Int { max(Int(truncatingIfNeeded: kernel_page_size()), smallestPageSize) }

    /// Maps the bytes of a file from `start` on; nil on failure.
    private init?(_ descriptor: Int32, from start: Int, size: Int, notes: UnsafeMutableRawPointer) {
        let mapped = kernel_map_file(descriptor, start, SharedMemory.pageSize)
        guard mapped >= 0, let base = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        self.base = base
        (offset, self.size) = (0, size)
        self.notes = notes
        isPopulated = true
        address(0).pointee.store(UInt(bitPattern: base), ordering: .relaxed)
    }

    /// Memory without a file, mapped as a whole, for this process and its forks; nil without address space.
    private init?(forkedFrom size: Int, notes: UnsafeMutableRawPointer) {
        let mapped = kernel_map_shared(size)
        guard mapped >= 0, let base = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        self.base = base
        (offset, self.size) = (0, size)
        self.notes = notes
        isPopulated = false
        for length in 0..<SharedMemory.lengthCount {
            address(length).pointee.store(UInt(bitPattern: base), ordering: .relaxed)
        }
    }

    private init(_ whole: SharedMemory, from offset: Int) {
        base = whole.base + offset
        self.offset = whole.offset + offset
        size = whole.size
        notes = whole.notes
        isPopulated = whole.isPopulated
    }

    /// The memory after the first `offset` bytes. Its `base` is only mapped if it is on the first page.
    func dropping(_ offset: Int) -> SharedMemory { SharedMemory(self, from: offset) }

    /// Unmaps everything. No thread may use the memory any more.
    func unmap() {
        for length in 0..<SharedMemory.lengthCount {
            let mapped = address(length).pointee.exchange(0, ordering: .relaxed)
            guard let start = UnsafeMutableRawPointer(bitPattern: mapped), !isMapped(mapped, longerThan: length)
            else { continue }
            kernel_unmap(start, size(ofLength: length))
        }
        notes.initializeMemory(as: UInt8.self, repeating: 0, count: SharedMemory.notesSize(for: size))
    }

    // MARK: Copies

    /// Adds the mapped beginning of the part to a copy; false without room.
    func add(to copy: inout SharedCopy) -> Bool {
        for length in stride(from: SharedMemory.lengthCount - 1, through: 0, by: -1) {
            let mapped = address(length).pointee.load(ordering: .acquiring)
            guard let start = UnsafeMutableRawPointer(bitPattern: mapped) else { continue }
            return copy.add(start, mappedSize: size(ofLength: length), wholeSize: size)
        }
        return false
    }

    /// Replaces the mapped parts by the copy.
    func leave(for copy: inout SharedCopy) {
        let offset = copy.next(size: size)
        for length in 0..<SharedMemory.lengthCount {
            let mapped = address(length).pointee.load(ordering: .acquiring)
            guard let start = UnsafeMutableRawPointer(bitPattern: mapped), !isMapped(mapped, longerThan: length)
            else { continue }
            _ = kernel_map_file_over(start, copy.descriptor, offset, size(ofLength: length))
        }
    }

    // MARK: Parts

    /// The parts of a file, of these sizes, one after the other; nil if one cannot be mapped, or the first page of the
    /// first one cannot be populated.
    ///
    /// - Parameters:
    ///   - sizes: multiples of 64 KiB, and thereby of every page size.
    ///   - notes: `notesSize` of each, zero-filled, private.
    static func parts<let count: Int>(
        _ sizes: InlineArray<count, Int>, of descriptor: Int32, notes: UnsafeMutableRawPointer
    ) -> InlineArray<count, SharedMemory>? {
        let parts = parts(sizes, notes: notes) { SharedMemory(descriptor, from: $0, size: $1, notes: $2) }
        guard let parts, parts[0].reach(offset: 0, size: 1) == nil else { return parts }
        for index in parts.indices { parts[index].unmap() }
        return nil
    }

    /// Parts without a name, for this process and its forks.
    static func privateParts<let count: Int>(
        _ sizes: InlineArray<count, Int>, notes: UnsafeMutableRawPointer
    ) -> InlineArray<count, SharedMemory>? {
        let descriptor = Int32(truncatingIfNeeded: kernel_open_memory())
        if descriptor >= 0 {
            defer { _ = kernel_close(descriptor) }
            var whole = 0
            for index in sizes.indices { whole += sizes[index] }
            if kernel_set_size(descriptor, Int64(whole)) == 0,
                let parts = parts(sizes, of: descriptor, notes: notes)
            {
                return parts
            }
        }
        // The kernel has no anonymous files, or cannot populate pages.
        return parts(sizes, notes: notes) { _, size, notes in SharedMemory(forkedFrom: size, notes: notes) }
    }

    private static func parts<let count: Int>(
        _ sizes: InlineArray<count, Int>, notes: UnsafeMutableRawPointer,
        _ map: (_ start: Int, _ size: Int, _ notes: UnsafeMutableRawPointer) -> SharedMemory?
    ) -> InlineArray<count, SharedMemory>? {
        guard let first = map(0, sizes[0], notes) else { return nil }
        var parts = InlineArray<count, SharedMemory>(repeating: first)
        var (start, notes) = (sizes[0], notes + notesSize(for: sizes[0]))
        for index in 1..<count {
            guard let part = map(start, sizes[index], notes) else {
                for mapped in 0..<index { parts[mapped].unmap() }
                return nil
            }
            parts[index] = part
            start += sizes[index]
            notes += notesSize(for: sizes[index])
        }
        return parts
    }

    // MARK: Mappings

    private static var lengthCount: Int { 16 }

    /// The first page, 64 KiB, 128 KiB and so on, up to the size of the part.
    private func size(ofLength length: Int) -> Int {
        length == 0 ? SharedMemory.pageSize : min(0x8000 << length, size)
    }

    /// The shortest length with at least `end` bytes.
    private func length(of end: Int) -> Int {
        if end <= SharedMemory.pageSize { return 0 }
        return max(Int.bitWidth - (end - 1).leadingZeroBitCount - 15, 1)
    }

    private func address(_ length: Int) -> UnsafeMutablePointer<Atomic<UInt>> {
        (notes + length * 8).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    /// Whether a longer mapping also serves this length.
    private func isMapped(_ address: UInt, longerThan length: Int) -> Bool {
        for longer in length + 1..<SharedMemory.lengthCount
        where self.address(longer).pointee.load(ordering: .relaxed) == address { return true }
        return false
    }

    /// The address of a mapping of the part's first `end` bytes; nil on failure.
    @inline(never)
    private func map(_ end: Int) -> UnsafeMutableRawPointer? {
        let length = length(of: end)
        guard length < SharedMemory.lengthCount else { return nil }
        let known = address(length).pointee.load(ordering: .acquiring)
        if let start = UnsafeMutableRawPointer(bitPattern: known) { return start }
        for longer in length..<SharedMemory.lengthCount {
            let mapped = address(longer).pointee.load(ordering: .acquiring)
            guard let start = UnsafeMutableRawPointer(bitPattern: mapped) else { continue }
            _ = address(length).pointee.compareExchange(expected: 0, desired: mapped, ordering: .acquiringAndReleasing)
            return start
        }
        let size = size(ofLength: length)
        let mapped = kernel_map_again(base - offset, size)
        guard mapped >= 0, let start = UnsafeMutableRawPointer(bitPattern: mapped) else { return nil }
        let (exchanged, first) = address(length).pointee.compareExchange(
            expected: 0, desired: UInt(bitPattern: start), ordering: .acquiringAndReleasing)
        if exchanged { return start }
        // Another thread was faster.
        kernel_unmap(start, size)
        return UnsafeMutableRawPointer(bitPattern: first)
    }

    // MARK: Reaching

    /// The address of these bytes, ready for use; nil without memory. Makes a system call for each page that is new to
    /// the process, and one for a mapping.
    @inline(never)
    func reach(offset: Int, size: Int) -> UnsafeMutableRawPointer? {
        let rest = self.size - self.offset
        guard (0...rest).contains(offset), size > 0, size <= rest - offset,
            let start = map(self.offset + offset + size)
        else { return nil }
        let position = self.offset + offset
        guard isPopulated else { return start + position }
        let pageSize = SharedMemory.pageSize
        for page in position / pageSize...(position + size - 1) / pageSize
        where !make(page, pageSize, start: start) { return nil }
        return start + position
    }

    /// The address of bytes that this process has reached before, so that they are mapped.
    func reached(offset: Int, size: Int) -> UnsafeMutableRawPointer {
        let end = self.offset + offset + size
        return (map(end) ?? base - self.offset) + end - size
    }

    private func make(_ page: Int, _ pageSize: Int, start: UnsafeMutableRawPointer) -> Bool {
        let word = (notes + SharedMemory.lengthCount * 8 + page / 64 * 8).assumingMemoryBound(to: Atomic<UInt64>.self)
        let bit = UInt64(1) << UInt64(page % 64)
        if word.pointee.load(ordering: .relaxed) & bit != 0 { return true }
        guard kernel_populate(start + page * pageSize, pageSize) == 0 else { return false }
        word.pointee.bitwiseOr(bit, ordering: .relaxed)
        return true
    }
}
