import CPreload

/// The file of the table that a tree of processes shares.
///
/// Its path is handed on by the environment, in SOCKSIFY_TABLE: a folder, and `socksify-ROOT-RANDOM`, with the number
/// of the process that chose it. It is made by the process that needs it first.
///
/// No process keeps it open: programs close descriptors that they do not know. But each has a shared lock on it as long
/// as it has the memory, because the lock (flock(2)) belongs to the open file, which the mapping holds, over fork too,
/// until the process ends in whatever way.
///
/// The root removes the file when it ends, if nobody else has it mapped; else the last that has it mapped when it ends
/// after the root. What a tree that lives on would lose are names that it was told of before and has not connected to
/// yet; they are not found any more.
///
/// A process that is killed removes nothing. So whoever makes a new file removes from its folder the user's files that
/// nobody has mapped, whose root is gone, and that nobody has come to for ten minutes. A table that its root has never
/// handed on is not waited for. The folder is one of the user's own: nobody looks through the files of others.
struct SharedTableFile {
    private let path: UnsafePointer<CChar>
    /// The process that chose the path.
    private let root: Int32
    /// Where the path's last component begins.
    private let nameOffset: Int

    /// The path that the environment names, or this process has chosen; nil when there is none.
    static var path: UnsafePointer<CChar>? { socksify_captured_variable(cString("SOCKSIFY_TABLE")) }

    /// Whether some process of the tree has made the file.
    static var exists: Bool { path.map { kernel_is_there($0) != 0 } ?? false }

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
            guard makeFolder() else { return nil }
            let descriptor = Int32(truncatingIfNeeded: kernel_open_shared(path))
            // Another process may just have removed the folder, which was empty.
            if descriptor == -ENOENT, isInFolderOfUser { continue }
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

    // MARK: The folder

    /// Where all users have a folder of their own.
    private static var folderOfAll: StaticString { "/dev/shm/" }

    private var isBelowFolderOfAll: Bool {
        let folder = SharedTableFile.folderOfAll
        guard nameOffset >= folder.utf8CodeUnitCount else { return false }
        for index in 0..<folder.utf8CodeUnitCount where UInt8(bitPattern: path[index]) != folder.utf8Start[index] {
            return false
        }
        return true
    }

    private var isInFolderOfAll: Bool {
        isBelowFolderOfAll && nameOffset == SharedTableFile.folderOfAll.utf8CodeUnitCount
    }

    /// Whether the folder was made for the files of one user, and is gone with the last of them.
    private var isInFolderOfUser: Bool { isBelowFolderOfAll && !isInFolderOfAll }

    /// Calls `body` with the path of the folder; false when there is no memory for that.
    private func withFolder(_ body: (UnsafePointer<CChar>) -> Bool) -> Bool {
        guard let mapping = Mapping(SharedTableFile.longestPath) else { return false }
        defer { mapping.unmap() }
        // Zero-filled, so that the path to the folder ends there: before the slash, unless there is nothing before it.
        mapping.start.copyMemory(from: path, byteCount: max(nameOffset - 1, 1))
        return body(UnsafePointer(mapping.start.assumingMemoryBound(to: CChar.self)))
    }

    /// Sees to it that a folder for one user is there, and that user's.
    private func makeFolder() -> Bool {
        !isInFolderOfUser
            || withFolder { folder in
                kernel_make_folder(folder)
                return kernel_look_at_folder(folder) == KERNEL_FOLDER_IS_OWN
            }
    }

    // MARK: The end

    /// The process ends: removes the file if the tree ends with it, as far as can be seen.
    ///
    /// - Parameters:
    ///   - isUser: whether the process has used the table; one of another's that it has not is left alone.
    ///   - leave: has the process have none of it mapped any more.
    static func end(isUser: Bool, leave: () -> Void) {
        guard let path, let file = SharedTableFile(path),
            file.root == process_own_id() || isUser && kernel_process_exists(file.root) == 0
        else { return }
        file.remove(leave)
    }

    /// Unless another process has it.
    private func remove(_ leave: () -> Void) {
        let descriptor = Int32(truncatingIfNeeded: kernel_open_in(SharedTableFile.currentFolder, path))
        guard descriptor >= 0 else { return }
        defer { _ = kernel_close(descriptor) }
        var file = kernel_file()
        guard kernel_look_at(descriptor, &file) == 0, file.is_own != 0 else { return }
        if SharedTable.isHandedOn(descriptor) {
            // What this process has mapped has the lock, too.
            leave()
            guard kernel_lock_file(descriptor, 1) == 0 else { return }
        }
        _ = kernel_unlink_in(SharedTableFile.currentFolder, path)
        if isInFolderOfUser {
            _ = withFolder {
                kernel_remove_folder($0)
                return true
            }
        }
    }

    /// For a path that is absolute.
    private static var currentFolder: Int32 { AT_FDCWD }

    // MARK: Sweeping

    /// Seconds that a file is left alone after somebody came to it.
    private static var graceTime: Int64 { 600 }

    /// - Parameter now: the time of this file, which is new.
    private func sweep(now: Int64) {
        if isInFolderOfAll { return }
        _ = withFolder { path in
            guard let folder = Folder(path) else { return false }
            defer { folder.close() }
            folder.forEachName { SharedTableFile.removeLeftOver($0, in: folder.descriptor, now: now) }
            return true
        }
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
