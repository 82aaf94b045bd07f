/// The proxy's verdict on user name and password: VER, STATUS (RFC 1929 section 2).
enum UsernamePasswordStatus {
    static var length: Int { 2 }

    /// Returns if the credentials are accepted.
    static func read(_ bytes: Span<UInt8>) throws(ProtocolError) {
        guard bytes.count == length else { throw .unexpectedLength(bytes.count) }
        // The version of the subnegotiation is 1; some servers send that of SOCKS.
        guard bytes[0] == 1 || bytes[0] == protocolVersion else { throw .wrongVersion(bytes[0]) }
        guard bytes[1] == 0 else { throw .credentialsRefused(status: bytes[1]) }
    }
}
