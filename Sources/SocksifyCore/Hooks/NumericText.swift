import Addressing

/// An address in figures, as a C string in place.
struct NumericText {
    private var text = FixedBytes<64>()

    init(_ address: IPAddress) {
        address.write(to: &text)
        text.append(0)
    }

    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        text.bytes.withUnsafeBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress ?? cString("")) }
        }
    }
}
