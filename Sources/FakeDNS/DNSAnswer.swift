import Addressing

// Answers to a query of a program. Each has the query's ID, question (in the same case: some clients insist on it), RD
// and CD, sets RA, and has an OPT record if the query has one (RFC 6891 section 6.1.1). An answer that is too long for
// the client is sent without its records and with TC, so that the client repeats the query over TCP.
extension DNSQuery {
    /// Answers a question for A or AAAA.
    ///
    /// - Parameters:
    ///   - addresses: the addresses of the name. Those of the queried family are the answer; without any the answer is
    ///     NODATA (RFC 2308 section 2.2).
    ///   - canonicalName: the name of the addresses, if the queried name is an alias. Omitted if it is the same, or
    ///     cannot be encoded.
    ///   - timeToLive: seconds, 0...2^31 - 1; more count as the most.
    ///   - memory: `sizeWithoutEDNS` or more bytes.
    /// - Returns: the length of the message, at most `largestAnswer`; nil when there is less memory.
    public func answer(
        addresses: Span<IPAddress>, canonicalName: HostName? = nil, timeToLive: UInt32,
        into memory: consuming MutableSpan<UInt8>
    ) -> Int? {
        guard var answer = DNSAnswerWriter(to: self, into: memory) else { return nil }
        var owner = DNSAnswerWriter.questionOffset
        if let canonicalName, let name = DNSName(canonicalName.bytes), name != question?.name {
            owner = answer.append(.cname, name, timeToLive: timeToLive)
        }
        for index in addresses.indices {
            switch addresses[index] {
            case .v4(let address) where question?.type == .a:
                answer.append(.a, address.octets.span, owner: owner, timeToLive: timeToLive)
            case .v6(let address) where question?.type == .aaaa:
                answer.append(.aaaa, address.octets.span, owner: owner, timeToLive: timeToLive)
            default:
                break
            }
        }
        return answer.finish(.noError)
    }

    /// Answers a question for PTR.
    ///
    /// - Parameters:
    ///   - name: the name of the address. The answer is NXDOMAIN without one, or if it cannot be encoded.
    ///   - timeToLive: seconds, 0...2^31 - 1; more count as the most.
    ///   - memory: `sizeWithoutEDNS` or more bytes.
    /// - Returns: the length of the message, at most `largestAnswer`; nil when there is less memory.
    public func answer(
        name: HostName, timeToLive: UInt32, into memory: consuming MutableSpan<UInt8>
    ) -> Int? {
        guard var answer = DNSAnswerWriter(to: self, into: memory) else { return nil }
        guard let name = DNSName(name.bytes) else { return answer.finish(.nameError) }
        _ = answer.append(.ptr, name, timeToLive: timeToLive)
        return answer.finish(.noError)
    }

    /// Answers without records.
    ///
    /// - Parameter memory: `sizeWithoutEDNS` or more bytes.
    /// - Returns: the length of the message, at most `largestAnswer`; nil when there is less memory.
    public func answer(_ code: DNSResponseCode, into memory: consuming MutableSpan<UInt8>) -> Int? {
        guard var answer = DNSAnswerWriter(to: self, into: memory) else { return nil }
        return answer.finish(code)
    }

    /// Adapts a response to the same question, which came over TCP, to the client's datagram size.
    ///
    /// If it is too long, it is truncated in place to its header with TC, and the question.
    ///
    /// - Parameter response: the whole message, and no more.
    /// - Returns: the length of the remaining message.
    public func truncate(_ response: consuming MutableSpan<UInt8>) -> Int {
        let length = response.count
        guard length > largestAnswer else { return length }
        // Longer than any header.
        let flags = DNSFlags(rawValue: UInt16(response[2]) << 8 | UInt16(response[3]))
        guard var answer = DNSAnswerWriter(to: self, into: response) else { return length }
        return answer.finish(flags: flags.union(.truncated), .noError)
    }
}

/// Writes an answer: the question first, then records, in the end the header.
private struct DNSAnswerWriter: ~Copyable, ~Escapable {
    private let query: DNSQuery
    private var writer: DNSWriter
    private let endOfQuestion: Int
    private var answerCount: UInt16 = 0

    /// The offset of the question's name.
    static var questionOffset: UInt16 { UInt16(DNSHeader.length) }

    /// nil without memory for a message without answers.
    @_lifetime(copy memory)
    init?(to query: DNSQuery, into memory: consuming MutableSpan<UInt8>) {
        guard memory.count >= DNSQuery.sizeWithoutEDNS else { return nil }
        self.query = query
        writer = DNSWriter(memory, limit: query.largestAnswer)
        writer.move(to: DNSHeader.length)
        query.question?.write(to: &writer)
        endOfQuestion = writer.count
    }

    /// Appends a record of the question's name with a name as its data; returns the offset of that.
    @_lifetime(self: copy self)
    mutating func append(_ type: DNSType, _ name: DNSName, timeToLive: UInt32) -> UInt16 {
        append(type, name.bytes, owner: DNSAnswerWriter.questionOffset, timeToLive: timeToLive)
        return UInt16(truncatingIfNeeded: writer.count - name.bytes.count)
    }

    /// Appends a record.
    ///
    /// - Parameter owner: where the record's name stands, which is written as a pointer to there
    ///   (RFC 1035 section 4.1.4).
    @_lifetime(self: copy self)
    mutating func append(_ type: DNSType, _ data: Span<UInt8>, owner: UInt16, timeToLive: UInt32) {
        writer.append(0xc000 | owner)
        writer.append(type.code)
        writer.append(DNSClass.internet.code)
        writer.append(min(timeToLive, UInt32(Int32.max)))
        writer.append(UInt16(truncatingIfNeeded: data.count))
        writer.append(data)
        answerCount &+= 1
    }

    /// Writes what is left, and returns the length of the message.
    @_lifetime(self: copy self)
    mutating func finish(_ code: DNSResponseCode) -> Int {
        let echoed = query.flags.intersection([.allOfOpcode, .recursionDesired, .checkingDisabled])
        let flags = echoed.union([.response, .recursionAvailable, DNSFlags(lowResponseCodeOf: code)])
        return finish(flags: flags, code)
    }

    /// - Parameter code: of which the OPT record has the upper bits; the lower ones are in the flags.
    @_lifetime(self: copy self)
    mutating func finish(flags: DNSFlags, _ code: DNSResponseCode) -> Int {
        var header = DNSHeader(id: query.id, flags: flags)
        appendEDNS(code)
        if writer.isOverfull {
            writer.move(to: endOfQuestion)
            appendEDNS(code)
            answerCount = 0
            header.flags.insert(.truncated)
        }
        header.questionCount = query.question == nil ? 0 : 1
        header.answerCount = answerCount
        header.additionalCount = query.edns == nil ? 0 : 1
        let length = writer.count
        writer.move(to: 0)
        header.write(to: &writer)
        return length
    }

    @_lifetime(self: copy self)
    private mutating func appendEDNS(_ code: DNSResponseCode) {
        guard let edns = query.edns else { return }
        EDNS(isDNSSECOK: edns.isDNSSECOK, responseCode: code).write(to: &writer)
    }
}
