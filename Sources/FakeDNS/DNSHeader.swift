/// The first twelve bytes of a message (RFC 1035 section 4.1.1).
///
///     +----+-------+---------+---------+---------+---------+
///     | ID | flags | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT |
///     |  2 |   2   |    2    |    2    |    2    |    2    |
///     +----+-------+---------+---------+---------+---------+
struct DNSHeader {
    static var length: Int { 12 }

    var id: UInt16
    var flags: DNSFlags
    /// The counts of the entries. In a received message they are unverified.
    var questionCount: UInt16 = 0
    var answerCount: UInt16 = 0
    var authorityCount: UInt16 = 0
    var additionalCount: UInt16 = 0

    init(id: UInt16, flags: DNSFlags) {
        self.id = id
        self.flags = flags
    }

    init(from reader: inout DNSReader) throws(DNSReadingError) {
        id = try reader.uint16()
        flags = DNSFlags(rawValue: try reader.uint16())
        questionCount = try reader.uint16()
        answerCount = try reader.uint16()
        authorityCount = try reader.uint16()
        additionalCount = try reader.uint16()
    }

    func write(to writer: inout DNSWriter) {
        writer.append(id)
        writer.append(flags.rawValue)
        writer.append(questionCount)
        writer.append(answerCount)
        writer.append(authorityCount)
        writer.append(additionalCount)
    }
}
