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
        var buffer = InlineArray<4096, UInt8>(repeating: 0)
        var filled = 0
        while true {
            let count = withUnsafeMutableBytes(of: &buffer) { bytes in
                bytes.baseAddress.map { interruptible_read(file, $0 + filled, bytes.count - filled) } ?? 0
            }
            if count == -Int(EINTR) { continue }
            guard count >= 0 else { return nil }
            filled += count
            let taken = takeLines(buffer.span.extracting(first: filled), atEnd: count == 0, body)
            guard let taken, count > 0 else { return nil }
            // A resolver would not read a line that fills the whole buffer: it is dropped.
            let rest = taken == 0 && filled == buffer.count ? 0 : filled - taken
            for index in 0..<rest { buffer[index] = buffer[filled - rest + index] }
            filled = rest
        }
    }

    /// The number of bytes in complete lines; nil if `body` returned false.
    private static func takeLines(_ bytes: Span<UInt8>, atEnd: Bool, _ body: (Span<UInt8>) -> Bool) -> Int? {
        var start = 0
        for index in bytes.indices where bytes[index] == UInt8(ascii: "\n") {
            if !body(bytes.extracting(start..<index)) { return nil }
            start = index + 1
        }
        if atEnd, start < bytes.count, !body(bytes.extracting(start...)) { return nil }
        return start
    }
}
