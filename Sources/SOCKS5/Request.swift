import Addressing

/// The client's request (RFC 1928 section 4).
///
///     +-----+-----+-------+------+----------+----------+
///     | VER | CMD |  RSV  | ATYP | DST.ADDR | DST.PORT |
///     |  1  |  1  | X'00' |  1   | Variable |    2     |
///     +-----+-----+-------+------+----------+----------+
public struct Request: Sendable {
    public var command: Command
    /// DST.ADDR and DST.PORT.
    public var destination: Endpoint

    public init(command: Command, destination: Endpoint) {
        self.command = command
        self.destination = destination
    }

    /// Requests an association without the source of the datagrams, which the client does not know behind NAT (RFC 1928
    /// section 4).
    ///
    /// - Parameter overIPv6: whether the proxy is reached by IPv6: some servers (Dante) refuse zeros of the other
    ///   family.
    public static func associating(overIPv6: Bool) -> Request {
        let zeros = overIPv6 ? IPAddress.v6(IPv6Address(high: 0, low: 0)) : .v4(IPv4Address(0))
        return Request(command: .udpAssociate, destination: Endpoint(host: .address(zeros), port: 0))
    }

    /// Asks Tor for the address of a name.
    public static func resolving(_ name: HostName) -> Request {
        Request(command: .resolve, destination: Endpoint(host: .name(name), port: 0))
    }

    /// Asks Tor for the name of an address.
    public static func resolving(_ address: IPAddress) -> Request {
        Request(command: .resolvePTR, destination: Endpoint(host: .address(address), port: 0))
    }

    func write(to message: inout some ByteSink) {
        message.append(protocolVersion)
        message.append(command.code)
        message.append(0)
        message.append(destination)
    }
}
