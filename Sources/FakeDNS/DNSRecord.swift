import Addressing

/// A resource record of a received message (RFC 1035 section 4.1.3).
///
///     +----------+------+-------+-----+----------+----------+
///     |   NAME   | TYPE | CLASS | TTL | RDLENGTH |  RDATA   |
///     | Variable |  2   |   2   |  4  |    2     | Variable |
///     +----------+------+-------+-----+----------+----------+
struct DNSRecord {
    let name: DNSName
    let type: DNSType
    let classCode: UInt16
    /// TTL, which the OPT record uses for other things.
    let lifetime: UInt32
    /// The position of RDATA in the message.
    let data: Range<Int>

    @inline(never)
    init(from reader: inout DNSReader) throws(DNSReadingError) {
        name = try reader.name()
        type = DNSType(code: try reader.uint16())
        classCode = try reader.uint16()
        lifetime = try reader.uint32()
        let length = Int(try reader.uint16())
        let start = reader.position
        try reader.skip(length)
        data = start..<reader.position
    }

    /// The record's life in seconds, 0...2^31 - 1; a larger number counts as 0 (RFC 2181 section 8).
    var timeToLive: UInt32 { lifetime <= UInt32(Int32.max) ? lifetime : 0 }

    /// The data of an A record.
    func ipv4Address(in message: Span<UInt8>) throws(DNSReadingError) -> IPv4Address {
        guard data.count == 4 else { throw .malformed }
        var reader = DNSReader(message, at: data.lowerBound)
        return IPv4Address(try reader.uint32())
    }

    /// The data of an AAAA record.
    func ipv6Address(in message: Span<UInt8>) throws(DNSReadingError) -> IPv6Address {
        guard data.count == 16 else { throw .malformed }
        var reader = DNSReader(message, at: data.lowerBound)
        return IPv6Address(high: try reader.uint64(), low: try reader.uint64())
    }

    /// The name in a CNAME or PTR record.
    func nameInData(of message: Span<UInt8>) throws(DNSReadingError) -> DNSName {
        var reader = DNSReader(message, at: data.lowerBound)
        let name = try reader.name()
        guard reader.position == data.upperBound else { throw .malformed }
        return name
    }
}
