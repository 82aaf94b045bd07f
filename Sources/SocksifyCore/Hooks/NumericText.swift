import Addressing

/// An address in figures, as a C string in place.
struct NumericText: ByteSink {
    private var storage = InlineArray<64, CChar>(repeating: 0)
    private var length = 0

    init(_ address: IPAddress) {
        address.write(to: &self)
    }

    mutating func append(_ byte: UInt8) {
        guard length < 63 else { return }
        storage[length] = CChar(bitPattern: byte)
        length += 1
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        storage.span.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return body(cString("")) }
            return body(start)
        }
    }
}
