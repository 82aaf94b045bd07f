/// A query: from a program, to be answered here, or from this library to a server.
///
///     +--------+----------+---------------------------------+-----------+
///     | Header | Question | further records, mostly none    | OPT, EDNS |
///     |   12   | Variable | Variable                        | Variable  |
///     +--------+----------+---------------------------------+-----------+
public struct DNSQuery: Sendable {
    /// ID, by which the client recognises the answer.
    public let id: UInt16
    /// The opcode, and RD, AD and CD.
    public let flags: DNSFlags
    /// nil without a readable question.
    public let question: DNSQuestion?
    /// nil for a client without EDNS.
    public let edns: EDNS?
    /// The error to answer with; nil for a valid query.
    public let error: DNSResponseCode?

    /// The maximum number of bytes in a datagram without EDNS (RFC 1035 section 2.3.4). Without its answers, every
    /// message written here fits.
    public static var sizeWithoutEDNS: Int { 512 }

    /// Reads one message and ignores further bytes.
    ///
    /// Sets `error` for another opcode, a later EDNS version, a truncated message, a number of questions other than one
    /// (RFC 9619), or an invalid OPT record. nil for messages without an answer: less than a header, and responses, so
    /// that two servers do not answer each other forever.
    public init?(_ message: Span<UInt8>) {
        var reader = DNSReader(message)
        guard let header = try? DNSHeader(from: &reader), !header.flags.contains(.response) else { return nil }
        var question: DNSQuestion?
        var edns: EDNS?
        var isWellFormed = false
        do throws(DNSReadingError) {
            guard header.questionCount == 1 else { throw .malformed }
            question = try DNSQuestion(from: &reader)
            edns = try EDNS.find(in: message, header, from: reader)
            isWellFormed = true
        } catch {}
        id = header.id
        flags = header.flags
        self.question = question
        self.edns = edns
        if flags.opcode != .query {
            error = .notImplemented
        } else if !isWellFormed {
            error = .formatError
        } else if let edns, edns.version > 0 {
            error = .badVersion
        } else {
            error = nil
        }
    }

    /// A query of this library's own, with RD and EDNS.
    ///
    /// - Parameter id: one that others cannot guess, where they could send an answer.
    public init(asking question: DNSQuestion, id: UInt16) {
        self.id = id
        flags = .recursionDesired
        self.question = question
        edns = EDNS(isDNSSECOK: false, responseCode: .noError)
        error = nil
    }

    /// The longest answer in bytes that the asker takes in a datagram, 512 to 65,535 (RFC 6891 section 6.2.3).
    public var largestAnswer: Int {
        max(DNSQuery.sizeWithoutEDNS, Int(edns?.payloadSize ?? 0))
    }

    /// Writes the query, without the two bytes of its length that stand before it on TCP (RFC 1035 section 4.2.2).
    ///
    /// - Parameter memory: `sizeWithoutEDNS` or more bytes.
    /// - Returns: the length of the message; nil when there is less memory.
    public func write(into memory: consuming MutableSpan<UInt8>) -> Int? {
        guard memory.count >= DNSQuery.sizeWithoutEDNS else { return nil }
        var writer = DNSWriter(memory)
        var header = DNSHeader(id: id, flags: flags)
        header.questionCount = question == nil ? 0 : 1
        header.additionalCount = edns == nil ? 0 : 1
        header.write(to: &writer)
        question?.write(to: &writer)
        edns?.write(to: &writer)
        return writer.count
    }
}
