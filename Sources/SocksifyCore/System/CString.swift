/// The bytes of a C string, without the terminating null byte. They are not copied.
@_lifetime(immortal)
func bytes(of string: UnsafePointer<CChar>) -> Span<UInt8> {
    var count = 0
    while string[count] != 0 { count += 1 }
    let start = UnsafeRawPointer(string).assumingMemoryBound(to: UInt8.self)
    let span = Span(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(span, copying: ())
}

/// A literal as a C string.
func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}

/// Calls `body` with the bytes as a C string. They must not contain a null byte.
func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
    (bytes + [0]).withUnsafeBufferPointer { buffer in
        // Never empty.
        buffer.baseAddress.map { body(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) } ?? body(cString(""))
    }
}
