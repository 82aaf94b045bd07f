import ProxyConfig

/// Why a connection or a datagram to an internet address goes direct.
public enum DirectReason {
    /// The configuration says so.
    case configured(Reason)
    /// The destination is a proxy.
    case proxy
    /// This thread is looking up the address of a proxy for the library.
    case proxyLookup
    /// The datagram answers one that came direct.
    case answer
    /// No proxy supports the socket's protocol, and `other_protocols` is `direct`.
    case otherProtocol
}
