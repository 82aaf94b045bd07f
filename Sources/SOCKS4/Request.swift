import Addressing

/// The client's request for a connection, of SOCKS4 and of its extension SOCKS4a.
///
///     +----+----+---------+----------+----------+------+----------+------+
///     | VN | CD | DSTPORT |  DSTIP   |  USERID  | NULL |   NAME   | NULL |
///     | 1  | 1  |    2    |    4     | Variable |  1   | Variable |  1   |
///     +----+----+---------+----------+----------+------+----------+------+
///
/// NAME and its NULL exist only in SOCKS4a, where DSTIP is 0.0.0.x and x is not 0.
struct Request {
    private let destination: Endpoint
    private let address: IPv4Address

    /// - Throws: an error if SOCKS4 cannot express the request.
    init(destination: Endpoint, userID: Span<UInt8>) throws(ProtocolError) {
        guard userID.count <= 255, !userID.containsNull else { throw .unusableUserID }
        switch destination.host {
        case .name(let name):
            guard !name.bytes.containsNull else { throw .unusableName }
            address = Request.nameFollows
        case .address(let host):
            guard case .v4(let host) = host.unmapped else { throw .ipv6Destination }
            // The proxy would wait for a name, and read it from the application's data.
            guard host.isUnspecified || host.value > 255 else { throw .reservedDestination }
            address = host
        }
        self.destination = destination
    }

    func write(userID: Span<UInt8>, to message: inout some ByteSink) {
        message.append(4)
        message.append(1)
        message.append(UInt8(truncatingIfNeeded: destination.port >> 8))
        message.append(UInt8(truncatingIfNeeded: destination.port))
        message.append(address.octets.span)
        message.append(userID)
        message.append(0)
        if case .name(let name) = destination.host {
            message.append(name.bytes)
            message.append(0)
        }
    }

    /// DSTIP of SOCKS4a.
    private static var nameFollows: IPv4Address { IPv4Address(0, 0, 0, 1) }
}

extension Span<UInt8> {
    fileprivate var containsNull: Bool {
        for index in indices where self[index] == 0 { return true }
        return false
    }
}
