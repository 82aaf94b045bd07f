#if !hasFeature(Embedded)

// Conveniences for tests and tools. The preloaded library does not use `String`, which would add Unicode tables to it.

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
