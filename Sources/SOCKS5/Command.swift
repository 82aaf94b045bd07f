/// The command of a request (RFC 1928 section 4, CMD).
public struct Command: Equatable, Sendable {
    public let code: UInt8

    public init(code: UInt8) {
        self.code = code
    }

    public static var connect: Command { Command(code: 1) }
    public static var bind: Command { Command(code: 2) }
    public static var udpAssociate: Command { Command(code: 3) }
    /// Tor's extension of SOCKS5: asks for the address of the name in DST.ADDR, which comes back as BND.ADDR. Other
    /// proxies refuse it, or take it for CONNECT.
    public static var resolve: Command { Command(code: 0xf0) }
    /// Tor's extension of SOCKS5: asks for the name of the address in DST.ADDR, which comes back as BND.ADDR. Other
    /// proxies refuse it, or take it for CONNECT.
    public static var resolvePTR: Command { Command(code: 0xf1) }
}
