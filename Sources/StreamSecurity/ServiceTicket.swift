import Addressing
import CGSSAPI
import ProxyConfig
import SOCKS5

/// The ticket with which a user is authenticated with at a proxy.
public enum ServiceTicket {
    /// Has Kerberos fetch the ticket into the user's cache, unless it is there: contexts are then made without a question
    /// to a KDC. May wait for a KDC.
    ///
    /// - Returns: nil: it is there, or the proxy needs none; else why not, as the text of an error.
    public static func fetch(for proxy: borrowing Proxy) -> [UInt8]? {
        guard let settings = SecuritySettings(proxy) else { return nil }
        var text: [UInt8] = []
        guard gssapi_load({ dlopen($0, $1) }) == 0 else {
            ProtocolError.mechanismMissing.write(to: &text)
            return text
        }
        var context: gssapi_context?
        var output = gssapi_buffer()
        var granted: UInt32 = 0
        let service = settings.service
        let status = service.span.withUnsafeBufferPointer { text in
            guard let text = text.baseAddress else { return gssapi_status(major: GSSAPI_ERRORS, minor: 0) }
            return gssapi_initialize(
                &context, text, UInt32(GSSAPI_MUTUAL), gssapi_buffer(), &output, &granted)
        }
        gssapi_release(&output)
        gssapi_delete(&context)
        guard status.major & GSSAPI_ERRORS != 0 else { return nil }
        ProtocolError.mechanismFailed.write(to: &text)
        text += Array(": ".utf8)
        SecurityFailure(status).forEachByte { text.append($0) }
        return text
    }
}
