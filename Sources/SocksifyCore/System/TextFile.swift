import CPreload

/// A file of the system, read line by line through a buffer on the stack.
enum TextFile {
    /// Calls `body` with each line until it returns false. A file that cannot be read has none.
    ///
    /// - Returns: what there was none of to open it, descriptors or memory; nil where it was read, or never can be.
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
            // A line that fills the whole buffer is none that a resolver would read.
            let rest = taken == 0 && filled == buffer.count ? 0 : filled - taken
            for index in 0..<rest { buffer[index] = buffer[filled - rest + index] }
            filled = rest
        }
    }

    /// The number of bytes that whole lines took; nil when `body` wants no more.
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
