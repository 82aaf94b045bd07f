import ProxyConfig

/// Why what a program sends to an internet address, or connects there, goes direct.
public enum DirectReason {
    /// The configuration says so.
    case configured(Reason)
    /// The address is that of a proxy, which nobody reaches through itself.
    case proxy
    /// The library itself has libc look up the address of a proxy, in this very thread.
    case proxyLookup
    /// A datagram that answers one that came directly.
    case answer
    /// The socket is of a protocol that no proxy carries, and `other_protocols direct` lets it be.
    case otherProtocol
}
