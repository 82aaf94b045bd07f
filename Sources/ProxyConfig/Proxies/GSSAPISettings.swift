/// How a proxy is authenticated with by GSSAPI (RFC 1961).
public struct GSSAPISettings: Equatable, Sendable {
    public var protection: GSSAPIProtection
    /// The name of the service, of 63 bytes at most.
    public var service: [UInt8]
    /// Whether the level of protection is sent as a bare octet.
    public var usesNECForm: Bool
    /// Whether the proxy gets the user's ticket.
    public var delegates: Bool

    public init(
        protection: GSSAPIProtection, service: [UInt8] = Array("rcmd".utf8), usesNECForm: Bool = false,
        delegates: Bool = false
    ) {
        self.protection = protection
        self.service = service
        self.usesNECForm = usesNECForm
        self.delegates = delegates
    }
}
