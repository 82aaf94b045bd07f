import Addressing

/// The UDP request header before the data of each datagram between client and proxy (RFC 1928 section 7). Stored
/// inline, because sending must not allocate.
///
///     +-------+------+------+----------+----------+----------+
///     |  RSV  | FRAG | ATYP | DST.ADDR | DST.PORT |   DATA   |
///     |   2   |  1   |  1   | Variable |    2     | Variable |
///     +-------+------+------+----------+----------+----------+
///
/// To the proxy, DST is the destination of the data; from the proxy, it is their source.
public struct DatagramHeader: ByteSink, Sendable {
    private typealias Storage = FixedBytes<262>

    /// The longest header in bytes, with a name of 255 bytes.
    public static var capacity: Int { Storage.capacity }

    private var storage = Storage()

    /// The header for data to `destination`.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public init(fragment: UInt8 = 0, destination: Endpoint) {
        DatagramHeader.write(fragment: fragment, destination: destination, to: &self)
    }

    /// The header for data to an address and port; cheaper than with an `Endpoint`.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public init(fragment: UInt8 = 0, address: IPAddress, port: UInt16) {
        DatagramHeader.write(fragment: fragment, address: address, port: port, to: &self)
    }

    /// Writes the header for data to an address and port to its final place.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public static func write(fragment: UInt8 = 0, address: IPAddress, port: UInt16, to sink: inout some ByteSink) {
        sink.appendStart(fragment: fragment)
        sink.append(address, port: port)
    }

    /// Writes the header for data to `destination` to its final place.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public static func write(fragment: UInt8 = 0, destination: Endpoint, to sink: inout some ByteSink) {
        sink.appendStart(fragment: fragment)
        sink.append(destination)
    }

    public mutating func append(_ byte: UInt8) { storage.append(byte) }

    /// 10 for an IPv4 address, 22 for an IPv6 address, 8 to 262 for a name.
    public var count: Int { storage.count }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.bytes }
    }
}

extension ByteSink {
    /// Writes RSV and FRAG.
    fileprivate mutating func appendStart(fragment: UInt8) {
        append(0)
        append(0)
        append(fragment)
    }
}

extension DatagramHeader {
    /// The header of a datagram from the proxy: the source of its data, and their offset.
    ///
    /// A name stays in the datagram until `name(in:)`: it is long, and proxies rarely send one.
    public struct Received: Equatable, Sendable {
        /// FRAG: 0 for a datagram that is complete, otherwise what `Reassembly` judges.
        public let fragment: UInt8
        /// DST.ADDR; nil for a name. An empty name counts as 0.0.0.0.
        public let address: IPAddress?
        /// DST.PORT, in host byte order.
        public let port: UInt16
        /// The number of bytes before DATA, 7 to 262.
        public let length: Int

        /// DST.ADDR of the datagram that this was read from; nil for an address.
        public func name(in datagram: Span<UInt8>) -> HostName? {
            guard address == nil, datagram.count >= length else { return nil }
            return HostName(datagram.extracting(5..<(length - 2)))
        }
    }

    /// Reads the header of a datagram from the proxy; nil if the datagram is too short, or ATYP is unknown: drop such a
    /// datagram.
    ///
    /// RSV may have any value.
    public static func read(_ datagram: Span<UInt8>) -> Received? {
        guard datagram.count >= 5 else { return nil }
        let type = AddressType(code: datagram[3])
        let address: Range<Int>
        switch type {
        case .ipv4: address = 4..<(4 + 4)
        case .ipv6: address = 4..<(4 + 16)
        case .domainName: address = 5..<(5 + Int(datagram[4]))
        default: return nil
        }
        let length = address.upperBound + 2
        guard datagram.count >= length,
            let port = UInt16(bigEndian: datagram.extracting(address.upperBound..<length))
        else { return nil }
        return Received(
            fragment: datagram[2],
            address: address.isEmpty
                ? .ofEmptyName : IPAddress(type: type, octets: datagram.extracting(address)),
            port: port, length: length)
    }
}
