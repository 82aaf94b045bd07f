import Addressing

/// The client's request (RFC 9112 section 3.2.3), written piece by piece.
///
///     CONNECT host:port HTTP/1.1
///     Host: host:port
///     Proxy-Authorization: Basic …
enum Request {
    /// The longest request in bytes.
    static var longest: Int {
        let authority = 255 + 1 + 5
        // Base64 encodes each group of up to three bytes in four.
        let credentials = (255 + 1 + 255 + 2) / 3 * 4
        return 8 + authority + 11 + 6 + authority + 2 + 27 + credentials + 2 + 2
    }

    /// Writes the request line and the Host field.
    ///
    /// - Throws: an error if the name contains invalid characters; nothing is written then.
    static func writeStart(for destination: Endpoint, to message: inout some ByteSink) throws(ProtocolError) {
        var destination = destination
        switch destination.host {
        case .name(let name):
            for index in name.bytes.indices where !isNameCharacter(name.bytes[index]) { throw .unusableName }
        case .address(let address):
            destination.host = .address(address.unmapped)
        }
        message.append("CONNECT ")
        destination.write(to: &message)
        message.append(" HTTP/1.1\r\nHost: ")
        destination.write(to: &message)
        message.append("\r\n")
    }

    /// Writes the header field of RFC 7617.
    static func writeCredentials(user: Span<UInt8>, password: Span<UInt8>, to message: inout some ByteSink) {
        message.append("Proxy-Authorization: Basic ")
        var encoder = Base64Encoder()
        encoder.write(user, to: &message)
        encoder.write(UInt8(ascii: ":"), to: &message)
        encoder.write(password, to: &message)
        encoder.finish(in: &message)
        message.append("\r\n")
    }

    static func writeEnd(to message: inout some ByteSink) {
        message.append("\r\n")
    }

    /// Whether a name may contain this byte: white space and line ends would end the line, and a general delimiter
    /// would change the host or port (RFC 3986 section 2.2).
    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "["),
            UInt8(ascii: "]"), UInt8(ascii: "@"):
            false
        default:
            byte > 0x20 && byte < 0x7f
        }
    }
}
