/// The OPT record of a message (RFC 6891 section 6.1).
///
///     +-------+-----+--------------+----------------+---------+----+---+----------+----------+
///     | X'00' | OPT | payload size | EXTENDED-RCODE | VERSION | DO | Z | RDLENGTH |  RDATA   |
///     |   1   |  2  |      2       |       1        |    1    |  bits: 16  |    2     | Variable |
///     +-------+-----+--------------+----------------+---------+----+---+----------+----------+
///
/// Options are ignored: none requires anything of an answer.
public struct EDNS: Equatable, Sendable {
    /// The longest datagram that the sender accepts, in bytes.
    public var payloadSize: UInt16
    public var version: UInt8
    /// DO: the sender understands the records of DNSSEC (RFC 3225).
    public var isDNSSECOK: Bool
    /// EXTENDED-RCODE, the upper eight bits of the response code.
    var highResponseCode: UInt8

    /// Version 0, with a payload size that every network transports unfragmented.
    init(isDNSSECOK: Bool, responseCode: DNSResponseCode) {
        payloadSize = 1232
        version = 0
        self.isDNSSECOK = isDNSSECOK
        highResponseCode = UInt8(truncatingIfNeeded: responseCode.code >> 4)
    }

    /// - Throws: for a record that has a name, or whose options are not as long as they say.
    init(_ record: DNSRecord, in message: Span<UInt8>) throws(DNSReadingError) {
        guard record.name.isRoot else { throw .malformed }
        var options = DNSReader(message.extracting(record.data))
        while !options.isAtEnd {
            _ = try options.uint16()
            try options.skip(Int(try options.uint16()))
        }
        payloadSize = record.classCode
        highResponseCode = UInt8(truncatingIfNeeded: record.lifetime >> 24)
        version = UInt8(truncatingIfNeeded: record.lifetime >> 16)
        isDNSSECOK = record.lifetime & 0x8000 != 0
    }

    /// Reads the sections behind the question, as many records as the header claims; nil when none of them is an OPT.
    ///
    /// - Parameter reader: where the answer section begins.
    /// - Throws: also for a second OPT, and for one that stands in another section than the additional one.
    static func find(
        in message: Span<UInt8>, _ header: DNSHeader, from reader: consuming DNSReader
    ) throws(DNSReadingError) -> EDNS? {
        for _ in 0..<(Int(header.answerCount) + Int(header.authorityCount)) {
            guard try DNSRecord(from: &reader).type != .opt else { throw .malformed }
        }
        var found: EDNS?
        for _ in 0..<header.additionalCount {
            let record = try DNSRecord(from: &reader)
            guard record.type == .opt else { continue }
            guard found == nil else { throw .malformed }
            found = try EDNS(record, in: message)
        }
        return found
    }

    func write(to writer: inout DNSWriter) {
        writer.append(UInt8(0))
        writer.append(DNSType.opt.code)
        writer.append(payloadSize)
        writer.append(highResponseCode)
        writer.append(version)
        writer.append(isDNSSECOK ? 0x8000 : 0 as UInt16)
        writer.append(0 as UInt16)
    }
}
