import Addressing

/// What a proxy did wrong, or refused.
public enum ProtocolError: Error, Equatable, Sendable {
    /// A message opened with this byte in place of the protocol's version: the other side speaks no SOCKS5.
    case wrongVersion(UInt8)
    /// The proxy accepts none of the methods that were offered.
    case noAcceptableMethod
    /// The proxy chose a method that was not offered.
    case methodNotOffered(Method)
    /// The proxy refused user name and password with this status (RFC 1929 section 2).
    case credentialsRefused(status: UInt8)
    /// The proxy ended the establishment of a security context, or the agreement on protection (RFC 1961 section 3.8).
    case securityAborted
    /// In place of an expected message of RFC 1961 came one with these first bytes.
    case unexpectedSecurityMessage(version: UInt8, type: UInt8)
    /// The proxy closed the connection in place of its token: it has no key for the service, or refuses the client.
    case closedInPlaceOfToken
    /// The proxy closed the connection in place of its level of protection: it does not accept the client's.
    case closedInPlaceOfProtection
    /// The proxy wants another level of protection than the configured one (RFC 1961 section 4.3).
    case protectionRefused(level: UInt8)
    /// The security mechanism refused: there is no ticket, or the proxy's token is invalid.
    case mechanismFailed
    /// The library of the security mechanism is not there.
    case mechanismMissing
    /// A message was changed, repeated, left out, or not encrypted as agreed.
    case messageForged
    /// The proxy refused the request.
    case rejected(ReplyCode)
    /// The reply's ATYP is none of RFC 1928's.
    case unknownAddressType(UInt8)
    /// The proxy closed the connection in the middle of the handshake.
    case closed
    /// The proxy took the request, and closed the connection without a byte of the reply, by which sshd refuses it.
    case closedInPlaceOfReply
    /// The caller handed in another number of bytes than was asked for.
    case unexpectedLength(Int)
    /// The handshake has ended; nothing can follow.
    case handshakeOver

    /// Writes what happened, for a log line that names the proxy before it.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .wrongVersion(let byte):
            sink.append("does not speak SOCKS5 (its answer starts with byte ")
            sink.append(decimal: byte)
            sink.append(")")
        case .noAcceptableMethod:
            sink.append("requires an authentication method that is not configured")
        case .methodNotOffered(let method):
            sink.append("chose authentication method ")
            sink.append(decimal: method.code)
            sink.append(", which was not offered")
        case .credentialsRefused:
            sink.append("refused the user name or the password")
        case .securityAborted:
            sink.append("refused the security context")
        case .unexpectedSecurityMessage(let version, let type):
            sink.append("sent no message of RFC 1961 (it starts with bytes ")
            sink.append(decimal: version)
            sink.append(" ")
            sink.append(decimal: type)
            sink.append(")")
        case .closedInPlaceOfToken:
            sink.append("closed the connection in place of a token: it has no key for the service, or refuses the user")
        case .closedInPlaceOfProtection:
            sink.append(
                "closed the connection in place of a level of protection: it does not accept the configured one")
        case .protectionRefused(let level):
            sink.append("wants protection ")
            sink.append(ProtocolError.nameOfProtection(level))
            sink.append(", which is not the configured one")
        case .mechanismFailed:
            sink.append("no security context")
        case .mechanismMissing:
            sink.append("Kerberos is missing: install libgssapi-krb5-2 (libgssapi_krb5.so.2)")
        case .messageForged:
            sink.append("a message was changed, repeated or left out on its way")
        case .rejected(let code):
            sink.append("refused: ")
            if let reason = code.reason {
                sink.append(reason)
            } else {
                sink.append("reply code ")
                sink.append(decimal: code.code)
            }
        case .unknownAddressType(let code):
            sink.append("answered with address type ")
            sink.append(decimal: code)
            sink.append(", which SOCKS5 does not know")
        case .closed:
            sink.append("closed the connection during the handshake")
        case .closedInPlaceOfReply:
            sink.append("closed the connection in place of a reply")
        case .unexpectedLength, .handshakeOver:
            sink.append("handshake out of step")
        }
    }

    /// The words of the configuration for the levels of RFC 1961 section 4.3.
    private static func nameOfProtection(_ level: UInt8) -> StaticString {
        switch level {
        case 0: "none"
        case 1: "integrity"
        case 2: "confidentiality"
        default: "by message"
        }
    }
}
