import Addressing

/// What stands before the data of each datagram between client and proxy (RFC 1928 section 7), stored in place because
/// datagrams are sent without an allocation.
///
///     +-------+------+------+----------+----------+----------+
///     |  RSV  | FRAG | ATYP | DST.ADDR | DST.PORT |   DATA   |
///     |   2   |  1   |  1   | Variable |    2     | Variable |
///     +-------+------+------+----------+----------+----------+
///
/// On the way to the proxy DST is where the data go; on the way back it is where they came from.
public struct DatagramHeader: ByteSink, Sendable {
    private typealias Storage = InlineArray<262, UInt8>

    /// The longest header: that of a name of 255 bytes.
    public static var capacity: Int { MemoryLayout<Storage>.size }

    private var storage = Storage(repeating: 0)
    private var length = 0

    /// The header of data that go to `destination`.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public init(fragment: UInt8 = 0, destination: Endpoint) {
        DatagramHeader.write(fragment: fragment, destination: destination, to: &self)
    }

    /// The header of data that go to an address and port, which costs less than one that could hold a name.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public init(fragment: UInt8 = 0, address: IPAddress, port: UInt16) {
        DatagramHeader.write(fragment: fragment, address: address, port: port, to: &self)
    }

    /// Writes the header of data that go to an address and port, where it is to stand.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public static func write(fragment: UInt8 = 0, address: IPAddress, port: UInt16, to sink: inout some ByteSink) {
        sink.appendStart(fragment: fragment)
        sink.append(address, port: port)
    }

    /// Writes the header of data that go to `destination`, where it is to stand.
    ///
    /// - Parameter fragment: FRAG: 0 for a datagram that is complete, otherwise as `Fragmentation` says.
    public static func write(fragment: UInt8 = 0, destination: Endpoint, to sink: inout some ByteSink) {
        sink.appendStart(fragment: fragment)
        sink.append(destination)
    }

    public mutating func append(_ byte: UInt8) {
        guard length < DatagramHeader.capacity else { return }
        storage[length] = byte
        length += 1
    }

    /// 10 for an IPv4 address, 22 for an IPv6 address, 8 to 262 for a name.
    public var count: Int { length }

    public var bytes: Span<UInt8> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
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
    /// The header of a datagram that came from the proxy: where its data came from, and where in it they begin.
    ///
    /// A name stays in the datagram until it is asked for: it is long, and proxies hardly ever send one.
    public struct Received: Equatable, Sendable {
        /// FRAG: 0 for a datagram that is complete, otherwise what `Reassembly` judges.
        public let fragment: UInt8
        /// DST.ADDR; nil where it is a name. A name of no bytes counts as the address 0.0.0.0.
        public let address: IPAddress?
        /// DST.PORT, in host byte order.
        public let port: UInt16
        /// The number of bytes before DATA, 7 to 262.
        public let length: Int

        /// DST.ADDR of the datagram that this was read from; nil where it is an address.
        public func name(in datagram: Span<UInt8>) -> HostName? {
            guard address == nil, datagram.count >= length else { return nil }
            return HostName(datagram.extracting(5..<(length - 2)))
        }
    }

    /// Reads the header of a datagram from the proxy; nil where the datagram is too short to have one, or ATYP is none
    /// of RFC 1928's: such a datagram is to be dropped.
    ///
    /// RSV may be anything: the RFC reserves it, and nothing depends on it.
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
