/// What a query asks (RFC 1035 section 4.1.2).
///
///     +----------+-------+--------+
///     |  QNAME   | QTYPE | QCLASS |
///     | Variable |   2   |   2    |
///     +----------+-------+--------+
public struct DNSQuestion: Equatable, Sendable {
    /// In the asker's letter case. Equality is without regard to it.
    public var name: DNSName
    public var type: DNSType
    public var recordClass: DNSClass

    public init(name: DNSName, type: DNSType, recordClass: DNSClass = .internet) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }

    init(from reader: inout DNSReader) throws(DNSReadingError) {
        name = try reader.name()
        type = DNSType(code: try reader.uint16())
        recordClass = DNSClass(code: try reader.uint16())
    }

    func write(to writer: inout DNSWriter) {
        writer.append(name.bytes)
        writer.append(type.code)
        writer.append(recordClass.code)
    }
}
