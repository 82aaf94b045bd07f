import Addressing

extension Proxy {
    /// Writes a URL that `Configuration.parse(proxyURLs:)`, and a list of a file of style `socksify`, reads as this
    /// proxy again.
    ///
    /// - Parameter hidesPassword: whether a password is written as three stars, for people.
    public func writeURL(to sink: inout some ByteSink, hidesPassword: Bool = false) {
        sink.append(type.text)
        if case .unixSocket = location { sink.append("+unix") }
        sink.append("://")
        if let credentials {
            sink.append(percentEncoding: credentials.user)
            if !credentials.password.isEmpty {
                sink.append(":")
                if hidesPassword {
                    sink.append("***")
                } else {
                    sink.append(percentEncoding: credentials.password)
                }
            }
            sink.append("@")
        }
        switch location {
        case .network(let endpoint): endpoint.write(to: &sink)
        case .unixSocket(let path): sink.append(percentEncoding: path)
        }
        switch credentials?.source {
        case .file(let path)?:
            sink.append("?password-file=")
            sink.append(percentEncoding: path)
        case .variable(let name)?:
            sink.append("?password-env=")
            sink.append(percentEncoding: name)
        case nil: break
        }
        if let gssapi { gssapi.write(to: &sink) }
    }
}

extension GSSAPISettings {
    /// Writes the query of a URL.
    fileprivate func write(to sink: inout some ByteSink) {
        sink.append("?gssapi=")
        sink.append(protection.text)
        sink.append("&service=")
        for byte in service { sink.append(byte) }
        if usesNECForm { sink.append("&nec") }
        if delegates { sink.append("&delegate") }
    }
}

extension GSSAPIProtection {
    /// The word of the configuration.
    public var text: StaticString {
        switch self {
        case .none: "none"
        case .integrity: "integrity"
        case .confidentiality: "confidentiality"
        }
    }
}

extension ByteSink {
    /// Writes everything but slashes and the unreserved characters of RFC 3986 section 2.3 as percent signs and digits.
    mutating func append(percentEncoding bytes: [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                append(byte)
            default:
                append("%")
                append(hexadecimalDigit: byte >> 4)
                append(hexadecimalDigit: byte & 0xf)
            }
        }
    }
}
