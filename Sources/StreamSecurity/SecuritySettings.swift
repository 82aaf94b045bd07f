import Addressing
import ProxyConfig

/// What a security context is established for.
struct SecuritySettings {
    /// "SERVICE@HOST" with a zero byte: 63, 1, 255 and 1 bytes at most.
    private(set) var service = InlineArray<320, CChar>(repeating: 0)
    let protection: GSSAPIProtection
    let usesNECForm: Bool
    let delegates: Bool

    /// nil for a proxy that is configured without.
    init?(_ proxy: borrowing Proxy) {
        guard let gssapi = proxy.gssapi, case .network(let endpoint) = proxy.location else { return nil }
        protection = gssapi.protection
        usesNECForm = gssapi.usesNECForm
        delegates = gssapi.delegates
        var text = FixedBytes<319>()
        for byte in gssapi.service { text.append(byte) }
        text.append(UInt8(ascii: "@"))
        endpoint.host.write(to: &text)
        let bytes = text.bytes
        for index in 0..<bytes.count { service[index] = CChar(bitPattern: bytes[index]) }
    }
}
