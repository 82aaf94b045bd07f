import CPreload

/// Reads a system file line by line through a buffer on the stack.
enum TextFile {
    /// Calls `body` with each line until it returns false. An unreadable file has no lines.
    ///
    /// - Returns: the error if descriptors or memory were missing to open it, else nil.
    @inline(never)
    @discardableResult
    static func forEachLine(of path: StaticString, _ body: (Span<UInt8>) -> Bool) -> Errno? {
        let descriptor = interruptible_open_to_read(cString(path))
        guard descriptor >= 0 else {
            let errno = Errno(result: descriptor)
            return errno.isShortage ? errno : nil
        }
        let file = Int32(truncatingIfNeeded: descriptor)
        defer { _ = kernel_close(file) }
        var lines = LineReader(file, read: interruptible_read)
        while let line = lines.next() {
            if !body(lines.bytes.extracting(line)) { break }
        }
        return nil
    }
}
