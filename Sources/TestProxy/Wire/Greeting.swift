/// The client's first message: the authentication methods that it offers (RFC 1928, section 3).
///
///     05 NMETHODS METHODS…
struct Greeting: Equatable {
    var methods: [UInt8]

    static func parse(_ buffer: inout [UInt8]) -> Parsed<Greeting> {
        var reader = Reader(buffer)
        guard let version = reader.byte() else { return .needMore }
        guard version == 5 else { return .malformed("greeting of version \(version)") }
        guard let methods = reader.counted() else { return .needMore }
        buffer.removeFirst(reader.offset)
        return .message(Greeting(methods: methods))
    }
}
