/// The proxy's answer to a request.
///
///     +----+----+---------+-------+
///     | VN | CD | DSTPORT | DSTIP |
///     | 1  | 1  |    2    |   4   |
///     +----+----+---------+-------+
///
/// DSTPORT and DSTIP mean nothing after a request for a connection.
enum Reply {
    static var length: Int { 8 }

    /// Returns if the request is granted, or if `bytes` end too early to tell.
    static func read(_ bytes: Span<UInt8>) throws(ProtocolError) {
        guard bytes.count > 0 else { return }
        // VN of a reply is 0; some servers send that of the request.
        guard bytes[0] == 0 || bytes[0] == 4 else { throw .wrongVersion(bytes[0]) }
        guard bytes.count > 1 else { return }
        let code = ReplyCode(code: bytes[1])
        guard code == .granted else { throw .rejected(code) }
    }
}
