import Addressing

/// Where a proxy is.
public enum ProxyLocation: Equatable, Sendable {
    /// The port is 1 or more.
    case network(Endpoint)
    /// A Unix-domain socket of this machine, by its path of 1 to 107 bytes (unix(7)).
    case unixSocket([UInt8])

    /// Writes `host:port`, or the path.
    public func write(to sink: inout some ByteSink) {
        switch self {
        case .network(let endpoint): endpoint.write(to: &sink)
        case .unixSocket(let path): sink.append(path.span)
        }
    }
}
