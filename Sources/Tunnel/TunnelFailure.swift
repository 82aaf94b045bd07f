/// The error type of a stream, which also represents failures of proxies.
public protocol TunnelFailure: Error {
    /// A proxy has failed.
    static func proxy(_ error: ProxyError) -> Self
}
