import CKernel

/// An open directory.
struct Directory {
    let descriptor: Int32

    private static var listSize: Int { 32_768 }

    /// nil if it cannot be opened.
    init?(_ path: UnsafePointer<CChar>) {
        descriptor = Int32(truncatingIfNeeded: kernel_open_folder(path))
        if descriptor < 0 { return nil }
    }

    func close() { _ = kernel_close(descriptor) }

    /// Calls `body` with the name of each entry.
    func forEachName(_ body: (UnsafePointer<CChar>) -> Void) {
        guard let list = Mapping(Directory.listSize) else { return }
        defer { list.unmap() }
        while true {
            let count = kernel_list_folder(descriptor, list.start, Directory.listSize)
            guard count > 0 else { return }
            Directory.forEachName(in: UnsafeRawBufferPointer(start: list.start, count: count), body)
        }
    }

    /// Iterates over a buffer of getdents64(2).
    private static func forEachName(in list: UnsafeRawBufferPointer, _ body: (UnsafePointer<CChar>) -> Void) {
        // struct linux_dirent64: two 64-bit words, the entry's length, its type, its null-terminated name.
        let (lengthOffset, nameOffset) = (16, 19)
        var start = 0
        while start + nameOffset < list.count {
            let length = Int(list.loadUnaligned(fromByteOffset: start + lengthOffset, as: UInt16.self))
            guard let base = list.baseAddress, length > nameOffset, start + length <= list.count else { return }
            body((base + start + nameOffset).assumingMemoryBound(to: CChar.self))
            start += length
        }
    }
}
