import CKernel

/// The lines of an open file, which a buffer in place holds. A line that is longer than the buffer is dropped.
struct LineReader {
    /// As read(2), but with a negative error number; 0 at the end.
    typealias Read = (Int32, UnsafeMutableRawPointer, Int) -> Int

    private let descriptor: Int32
    private let read: Read
    private var buffer = InlineArray<4096, UInt8>(repeating: 0)
    private var filled = 0
    /// Where the next line begins.
    private var start = 0
    private var isAtEnd = false

    init(_ descriptor: Int32, read: @escaping Read) {
        self.descriptor = descriptor
        self.read = read
    }

    /// The next line in `bytes`, without its newline; nil at the end of the file, and after an error. The last line needs
    /// no newline.
    mutating func next() -> Range<Int>? {
        var searched = start
        while true {
            for index in searched..<filled where buffer[index] == UInt8(ascii: "\n") {
                defer { start = index + 1 }
                return start..<index
            }
            if isAtEnd {
                defer { start = filled }
                return start < filled ? start..<filled : nil
            }
            readMore()
            searched = start
        }
    }

    /// Valid until the next line is read.
    var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { buffer.span.extracting(first: filled) }
    }

    /// Reads behind the incomplete line.
    private mutating func readMore() {
        // It fills the whole buffer.
        if start == 0, filled == buffer.count { start = filled }
        for index in start..<filled { buffer[index - start] = buffer[index] }
        filled -= start
        start = 0
        let (descriptor, filled, read) = (descriptor, filled, read)
        let count = withUnsafeMutableBytes(of: &buffer) { bytes in
            bytes.baseAddress.map { read(descriptor, $0 + filled, bytes.count - filled) } ?? 0
        }
        if count > 0 { self.filled += count }
        isAtEnd = count <= 0 && count != -Int(EINTR)
        // After an error the incomplete line does not count.
        if isAtEnd, count < 0 { self.filled = 0 }
    }
}
