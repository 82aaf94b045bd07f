import Tunnel

/// Why a stream has failed.
enum StreamFailure: TunnelFailure {
    /// The proxy broke the protocol.
    case proxy(ProxyError)
    /// The connection failed.
    case kernel(Errno)
}
