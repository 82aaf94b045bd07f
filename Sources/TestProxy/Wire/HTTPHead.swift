/// The head of an HTTP request (RFC 9112 section 2.1).
struct HTTPHead: Equatable {
    /// The most bytes that it may have.
    static let limit = 65536

    /// The words of the request line.
    var words: [String]
    /// The values of the header fields, by name in lower case.
    var fields: [String: String]

    static func parse(_ buffer: inout [UInt8]) -> Parsed<HTTPHead> {
        if let first = buffer.first, !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) {
            return .malformed("request that starts with byte \(first)")
        }
        let end: [UInt8] = [13, 10, 13, 10]
        guard let headEnd = buffer.indices.first(where: { buffer[$0...].starts(with: end) }) else {
            return buffer.count > limit ? .malformed("head of more than \(limit) bytes") : .needMore
        }
        var lines = String(decoding: buffer[..<headEnd], as: UTF8.self).split(separator: "\r\n")[...]
        let words = lines.popFirst()?.split(separator: " ").map(String.init) ?? []
        var fields: [String: String] = [:]
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
        }
        buffer.removeFirst(headEnd + end.count)
        return .message(HTTPHead(words: words, fields: fields))
    }
}
