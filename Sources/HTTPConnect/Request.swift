import Addressing

/// The client's request (RFC 9112 section 3.2.3), written piece by piece.
///
///     CONNECT host:port HTTP/1.1
///     Host: host:port
///     Proxy-Authorization: Basic …
enum Request {
    /// The room that it needs at most.
    static var longest: Int {
        let authority = 255 + 1 + 5
        // Base64 makes four of three bytes, and of what is left at the end.
        let credentials = (255 + 1 + 255 + 2) / 3 * 4
        return 8 + authority + 11 + 6 + authority + 2 + 27 + credentials + 2 + 2
    }

    /// Writes the request line and the header field that every request has.
    ///
    /// - Throws: when the name cannot be written there; nothing is written then.
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

    /// Whether a name that has this byte ends where it should: white space and line ends would end the line, and with
    /// one of the general delimiters the proxy would read another host or port out of it (RFC 3986 section 2.2).
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
