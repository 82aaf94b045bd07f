import CLibC

/// What a file has, read at once.
struct FileContents {
    var bytes: [UInt8] = []
    /// Whether the file's group or others may read it.
    let isReadableByOthers: Bool

    /// Files beyond this are refused: what is read here is written by people.
    private static var largest: Int { 4 << 20 }

    /// nil for a file that cannot be read.
    init?(_ path: [UInt8]) {
        let number = withCString(path) { Int32(truncatingIfNeeded: kernel_open_to_read($0)) }
        guard number >= 0 else { return nil }
        defer { _ = kernel_close(number) }
        var file = kernel_file()
        isReadableByOthers = kernel_look_at(number, &file) == 0 && file.is_readable_by_others != 0
        var chunk = InlineArray<4096, UInt8>(repeating: 0)
        while bytes.count <= FileContents.largest {
            let count = kernel_read(number, &chunk, 4096)
            if count == -Int(EINTR) { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return }
            for index in 0..<min(count, 4096) { bytes.append(chunk[index]) }
        }
        return nil
    }
}
