import CPreload
import ProxyConfig

/// Reads whole files.
enum FileContents {
    /// The largest accepted file, in bytes.
    static var largest: Int { 4 << 20 }

    /// Milliseconds within which the file system must answer.
    private static var longestAnswer: Int32 { 1000 }

    static func read(_ path: [UInt8]) -> Result<FileText, FileFailure> {
        guard withCString(path, { file_answers($0, longestAnswer) }) != 0 else { return .failure(.silent) }
        let number = withCString(path) { Int32(truncatingIfNeeded: interruptible_open_to_read($0)) }
        guard number >= 0 else {
            let error = Errno(result: Int(number))
            return .failure(isThere(path, error) ? .refused(errno: error.code) : .absent(errno: error.code))
        }
        heap_watch_descriptor(number)
        defer {
            heap_watch_descriptor(-1)
            _ = kernel_close(number)
        }
        var file = kernel_file()
        guard kernel_look_at(number, &file) == 0, file.is_regular != 0 else { return .failure(.noRegularFile) }
        var contents = FileText([], isReadableByOthers: file.is_readable_by_others != 0)
        var chunk = InlineArray<4096, UInt8>(repeating: 0)
        while contents.bytes.count <= largest {
            let count = interruptible_read(number, &chunk, 4096)
            if count == -Int(EINTR) { continue }
            guard count >= 0 else { return .failure(.refused(errno: Errno(result: count).code)) }
            if count == 0 { return .success(contents) }
            for index in 0..<min(count, 4096) { contents.bytes.append(chunk[index]) }
        }
        return .failure(.tooLarge)
    }

    /// Whether a file that could not be opened exists, or may exist: in an existing directory without search
    /// permission, or as a dangling link. A directory inside an unsearchable one counts as absent.
    private static func isThere(_ path: [UInt8], _ error: Errno) -> Bool {
        switch error.code {
        case ENOENT:
            var target: UInt8 = 0
            return withCString(path) { kernel_read_link($0, &target, 1) } >= 0
        case ENOTDIR, ENAMETOOLONG: return false
        case EACCES:
            let folder = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[..<$0]) }
            return withCString(folder ?? path) { kernel_is_there($0) } != 0
        default: return true
        }
    }
}
