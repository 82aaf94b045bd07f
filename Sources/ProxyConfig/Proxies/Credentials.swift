/// User name and password of RFC 1929 (or of the proxy type's own scheme), each of 1 to 255 bytes; only a
/// SOCKS5 proxy insists on a password, for others it may be empty.
public struct Credentials: Equatable, Sendable {
    public var user: [UInt8]
    public var password: [UInt8]
    /// Where the password is to be read from, if it does not stand in the configuration.
    public var source: PasswordSource?

    public init(user: [UInt8], password: [UInt8], source: PasswordSource? = nil) {
        self.user = user
        self.password = password
        self.source = source
    }
}
