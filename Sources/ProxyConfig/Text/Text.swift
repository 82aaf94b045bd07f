#if !hasFeature(Embedded)

// Conveniences for tests and tools. The preloaded library does not use `String`, which would add Unicode tables to it.

extension ConfigurationError: CustomStringConvertible {
    public var description: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Configuration {
    public static func parse(
        _ text: String, style: ConfigurationStyle = .socksify, program: ProgramIdentity? = nil
    ) -> ParsedConfiguration {
        parse(Array(text.utf8).span, style: style, program: program)
    }

    public static func parse(proxyURLs text: String) -> ParsedConfiguration {
        parse(proxyURLs: Array(text.utf8).span)
    }
}

#endif
