import CPreload

/// The file of the table that a process tree shares.
///
/// The environment passes its path on, in SOCKSIFY_TABLE: a directory and `socksify-ROOT-RANDOM`, where ROOT is the ID
/// of the process that chose the path. The first process that needs the file creates it.
///
/// No process keeps it open, because programs close unknown descriptors. But each holds a shared lock on it (flock(2)):
/// the lock belongs to the open file description, which the mapping keeps, across fork too, until the process ends.
///
/// The root removes the file when it ends, if no other process has it mapped; otherwise the last process that ends
/// after the root does. If a descendant without a mapping lives on, it only loses names that it has looked up and not
/// yet connected to.
///
/// A killed process removes nothing. So a process that creates a file also removes those files of the user in the
/// directory that are unmapped, whose root has ended, and that no process has opened for ten minutes; a table that its
/// root never passed on is removed without this delay. The directory is the user's own, so no files of others are
/// searched.
struct SharedTableFile {
    private let path: UnsafePointer<CChar>
    /// The process that chose the path.
    private let root: Int32
    /// The offset of the path's last component.
    private let nameOffset: Int

    /// The path in the environment, or chosen by this process; nil if there is none.
    static var path: UnsafePointer<CChar>? { environment_captured(cString("SOCKSIFY_TABLE")) }

    /// Whether a process of the tree has created the file.
    static var exists: Bool { path.map { kernel_is_there($0) != 0 } ?? false }

    /// nil for a relative path, or one with another form of name.
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

    /// Whether this process chose the path and has started no other process.
    var isUnshared: Bool { root == process_own_id() && process_forks() == 0 }

    // MARK: Making and mapping

    /// Opens the file, or creates it with `size` zero bytes, and calls `map`.
    ///
    /// nil if it cannot be created or opened, others than this user have access, or it has another size.
    func open<Mapped>(size: Int, _ map: (Int32) -> Mapped?) -> Mapped? {
        for _ in 0..<SharedTableFile.attempts {
            guard makeFolder() else { return nil }
            let descriptor = Int32(truncatingIfNeeded: kernel_open_shared(path))
            // Another process may just have removed the empty directory.
            if descriptor == -ENOENT, isInFolderOfUser { continue }
            guard descriptor >= 0 else { return nil }
            defer { _ = kernel_close(descriptor) }
            // A sweeping process may hold the lock for a moment, and then have removed the file.
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

    /// The parent of the users' directories.
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

    /// Whether the directory was created for the files of one user; it is removed with the last file.
    private var isInFolderOfUser: Bool { isBelowFolderOfAll && !isInFolderOfAll }

    /// Calls `body` with the path of the directory; false without memory.
    private func withFolder(_ body: (UnsafePointer<CChar>) -> Bool) -> Bool {
        guard let mapping = Mapping(SharedTableFile.longestPath) else { return false }
        defer { mapping.unmap() }
        // The memory is zero-filled, which terminates the path: before the last slash, unless that is the first byte.
        mapping.start.copyMemory(from: path, byteCount: max(nameOffset - 1, 1))
        return body(UnsafePointer(mapping.start.assumingMemoryBound(to: CChar.self)))
    }

    /// Creates the user's directory if necessary; false if it is not the user's.
    private func makeFolder() -> Bool {
        !isInFolderOfUser
            || withFolder { folder in
                kernel_make_folder(folder)
                return kernel_look_at_folder(folder) == KERNEL_FOLDER_IS_OWN
            }
    }

    // MARK: The end

    /// Called when the process ends: removes the file if no other process of the tree needs it.
    ///
    /// - Parameters:
    ///   - isUser: whether the process has used the table; only then it removes the table of another root.
    ///   - leave: unmaps the table.
    static func end(isUser: Bool, leave: () -> Void) {
        guard let path, let file = SharedTableFile(path),
            file.root == process_own_id() || isUser && kernel_process_exists(file.root) == 0
        else { return }
        file.remove(leave)
    }

    /// Removes the file, unless another process has it mapped.
    private func remove(_ leave: () -> Void) {
        let descriptor = Int32(truncatingIfNeeded: kernel_open_in(SharedTableFile.currentFolder, path))
        guard descriptor >= 0 else { return }
        defer { _ = kernel_close(descriptor) }
        var file = kernel_file()
        guard kernel_look_at(descriptor, &file) == 0, file.is_own != 0 else { return }
        if SharedTable.isHandedOn(descriptor) {
            // This process' own mapping holds the lock, too.
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

    /// Ignored for an absolute path.
    private static var currentFolder: Int32 { AT_FDCWD }

    // MARK: Sweeping

    /// Seconds for which a file is kept after a process opened it.
    private static var graceTime: Int64 { 600 }

    /// - Parameter now: the time of this file, which is newly created.
    private func sweep(now: Int64) {
        if isInFolderOfAll { return }
        _ = withFolder { path in
            guard let folder = Directory(path) else { return false }
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
        // The lock is held until the name is removed: a process that opened the file meanwhile notices, and creates a
        // new one.
        guard kernel_lock_file(descriptor, 1) == 0, kernel_look_at(descriptor, &file) == 0, file.is_own != 0,
            now &- file.modified >= graceTime || !SharedTable.isHandedOn(descriptor)
        else { return }
        _ = kernel_unlink_in(folder, name)
    }

    /// The root in a file's name; nil for a name of another form.
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
