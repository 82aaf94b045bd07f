#if !hasFeature(Embedded)

// Conveniences for tests and tools. The preloaded library does without `String`, whose Unicode tables it would
// have to carry.

extension IPAddress: CustomStringConvertible {
    public init?(_ text: String) {
        self.init(parsing: Array(text.utf8).span)
    }

    public var description: String { text { write(to: &$0) } }
}

extension IPv6Address {
    public init?(_ text: String) {
        self.init(parsing: Array(text.utf8).span)
    }
}

extension HostName: CustomStringConvertible {
    public init?(_ text: String) {
        self.init(Array(text.utf8).span)
    }

    public var description: String { text { write(to: &$0) } }
}

extension Host: CustomStringConvertible {
    public var description: String { text { write(to: &$0) } }
}

extension Endpoint: CustomStringConvertible {
    public var description: String { text { write(to: &$0) } }
}

private func text(_ write: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    write(&bytes)
    return String(decoding: bytes, as: UTF8.self)
}

#endif
