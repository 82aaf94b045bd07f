/// The proxy's answer to the greeting: VER, METHOD (RFC 1928 section 3).
enum MethodSelection {
    static var length: Int { 2 }

    static func read(_ bytes: Span<UInt8>) throws(ProtocolError) -> Method {
        guard bytes.count == length else { throw .unexpectedLength(bytes.count) }
        guard bytes[0] == protocolVersion else { throw .wrongVersion(bytes[0]) }
        return Method(code: bytes[1])
    }
}
