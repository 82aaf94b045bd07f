/// A host and a port.
public struct Endpoint: Equatable, Sendable {
    public var host: Host
    /// In host byte order.
    public var port: UInt16

    public init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Writes `host:port`, an IPv6 address in brackets.
    public func write(to sink: inout some ByteSink) {
        if case .address(.v6(let address)) = host {
            sink.append(UInt8(ascii: "["))
            address.write(to: &sink)
            sink.append(UInt8(ascii: "]"))
        } else {
            host.write(to: &sink)
        }
        sink.append(UInt8(ascii: ":"))
        sink.append(decimal: port)
    }
}
