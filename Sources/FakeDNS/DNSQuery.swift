/// A query: of a program, to be answered here, or of this library, to be answered by a server.
///
///     +--------+----------+---------------------------------+-----------+
///     | Header | Question | further records, mostly none    | OPT, EDNS |
///     |   12   | Variable | Variable                        | Variable  |
///     +--------+----------+---------------------------------+-----------+
public struct DNSQuery: Sendable {
    /// ID, by which the asker knows the answer.
    public let id: UInt16
    /// The opcode, and RD, AD and CD.
    public let flags: DNSFlags
    /// nil when there is none that can be read.
    public let question: DNSQuestion?
    /// nil for an asker without EDNS.
    public let edns: EDNS?
    /// What the query is to be answered with, whatever it asks; nil for a query that is as it should be.
    public let error: DNSResponseCode?

    /// A datagram has no more than so many bytes, unless EDNS allows it (RFC 1035 section 2.3.4). All messages that are
    /// written here find room in as many, if need be without their answers.
    public static var sizeWithoutEDNS: Int { 512 }

    /// Reads one message. What follows behind it is left alone.
    ///
    /// A message with one question is answered by it. One of another kind or a later EDNS, or that breaks off, has more
    /// or fewer questions (RFC 9619), or an OPT record that is wrong, has an `error`. nil for what gets no answer
    /// at all: less than a header, and a response, so that two that answer everything do not answer each other.
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
