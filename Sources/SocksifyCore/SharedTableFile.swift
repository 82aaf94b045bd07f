import CLibC

/// The file of the table that a tree of processes shares.
///
/// Its path is handed on by the environment, in SOCKSIFY_TABLE: a folder, and `socksify-ROOT-RANDOM`, with the number
/// of the process that chose it. It is made by the process that needs it first.
///
/// No process keeps it open: programs close descriptors that they do not know. But each has a shared lock on it as long
/// as it has the memory, because the lock (flock(2)) belongs to the open file, which the mapping holds, over fork too,
/// until the process ends in whatever way.
///
/// Nobody knows when a tree ends. So whoever makes a new file removes from its folder the user's files that nobody has
/// mapped, whose root is gone, and that nobody has come to for ten minutes: a tree may live on without its root, in
/// processes none of which has the memory at a moment. What such a tree would lose are names that it was told of before
/// and has not connected to yet; they are not found any more. A table that its root has never handed on is not waited
/// for: commands that are run one after the other do not leave many files behind.
struct SharedTableFile {
    private let path: UnsafePointer<CChar>
    /// The process that chose the path.
    private let root: Int32
    /// Where the path's last component begins.
    private let nameOffset: Int

    /// The path that the environment names, or this process has chosen; nil when there is none.
    static var path: UnsafePointer<CChar>? { socksify_captured_variable(cString("SOCKSIFY_TABLE")) }

    /// Whether some process of the tree has made the file.
    static var exists: Bool { path.map { kernel_exists($0) != 0 } ?? false }

    /// nil for a path that is not absolute, or none of such a file.
    init?(_ path: UnsafePointer<CChar>) {
        let text = bytes(of: path)
        var offset = text.count
        while offset > 0, text[offset - 1] != UInt8(ascii: "/") { offset -= 1 }
        guard text.count < SharedTableFile.longestPath, offset > 0, text[0] == UInt8(ascii: "/"),
            let root = SharedTableFile.root(inName: text.extracting(offset...))
        else { return nil }
        self.path = path
        self.root = root
        nameOffset = offset
    }

    private static var longestPath: Int { 4096 }

    /// Whether this process chose the path, and the program that it runs has started no other.
    var isUnshared: Bool { root == process_own_id() && process_forks() == 0 }

    // MARK: Making and mapping

    /// Opens the file for `map`, which maps what it needs of it; makes it when it is not there, with `size` bytes of
    /// zeros.
    ///
    /// nil when it cannot be made or opened, is not this user's alone, or has another size.
    func open<Mapped>(size: Int, _ map: (Int32) -> Mapped?) -> Mapped? {
        for _ in 0..<SharedTableFile.attempts {
            let descriptor = Int32(truncatingIfNeeded: kernel_open_shared(path))
            guard descriptor >= 0 else { return nil }
            defer { _ = kernel_close(descriptor) }
            // Somebody who sweeps may have it for a moment, and then have removed it.
            guard kernel_lock_file(descriptor, 0) == 0 else {
                kernel_yield()
                continue
            }
            var file = kernel_file()
            guard kernel_look_at(descriptor, &file) == 0, file.is_own != 0 else { return nil }
            if file.links == 0 { continue }
            guard file.links == 1, file.size == 0 || file.size == size,
                file.size != 0 || kernel_set_size(descriptor, Int64(size)) == 0
            else { return nil }
            _ = kernel_touch(descriptor)
            let mapped = map(descriptor)
            if file.size == 0 { sweep(now: file.modified) }
            return mapped
        }
        return nil
    }

    private static var attempts: Int { 100 }

    // MARK: Sweeping

    /// Seconds that a file is left alone after somebody came to it.
    private static var graceTime: Int64 { 600 }

    /// - Parameter now: the time of this file, which is new.
    private func sweep(now: Int64) {
        let mapped = kernel_map(SharedTableFile.longestPath)
        guard mapped >= 0, let memory = UnsafeMutableRawPointer(bitPattern: mapped) else { return }
        defer { kernel_unmap(memory, SharedTableFile.longestPath) }
        // Zero-filled, so that the path to the folder ends there.
        memory.copyMemory(from: path, byteCount: nameOffset)
        guard let folder = Folder(UnsafePointer(memory.assumingMemoryBound(to: CChar.self))) else { return }
        defer { folder.close() }
        folder.forEachName { SharedTableFile.removeLeftOver($0, in: folder.descriptor, now: now) }
    }

    private static func removeLeftOver(_ name: UnsafePointer<CChar>, in folder: Int32, now: Int64) {
        guard let root = root(inName: bytes(of: name)), kernel_process_exists(root) == 0 else { return }
        let descriptor = Int32(truncatingIfNeeded: kernel_open_in(folder, name))
        guard descriptor >= 0 else { return }
        defer { _ = kernel_close(descriptor) }
        var file = kernel_file()
        // The lock lasts until the name is gone: whoever opened the file meanwhile sees that, and makes a new one.
        guard kernel_lock_file(descriptor, 1) == 0, kernel_look_at(descriptor, &file) == 0, file.is_own != 0,
            now &- file.modified >= graceTime || !SharedTable.isHandedOn(descriptor)
        else { return }
        _ = kernel_unlink_in(folder, name)
    }

    /// The process that a file's name has; nil for a name of another kind.
    private static func root(inName name: Span<UInt8>) -> Int32? {
        let prefix: StaticString = "socksify-"
        let (prefixCount, randomCount) = (prefix.utf8CodeUnitCount, 16)
        let digitCount = name.count - prefixCount - 1 - randomCount
        guard (1...9).contains(digitCount), name[prefixCount + digitCount] == UInt8(ascii: "-") else { return nil }
        for index in 0..<prefixCount where name[index] != prefix.utf8Start[index] { return nil }
        var root: Int32 = 0
        for index in prefixCount..<prefixCount + digitCount {
            guard case UInt8(ascii: "0")...UInt8(ascii: "9") = name[index] else { return nil }
            root = root * 10 + Int32(name[index] - UInt8(ascii: "0"))
        }
        return root
    }
}
