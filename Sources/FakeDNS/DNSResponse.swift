import Addressing

/// A server's answer to a query of this library.
///
/// The server is not trusted: counts are not believed, pointers must lead backwards, the number of aliases is limited,
/// and only records of the queried name and of its aliases are used.
public struct DNSResponse: Sendable {
    /// With the upper bits of EDNS.
    public let code: DNSResponseCode
    /// TC: the answer is longer than a datagram, and nothing of it was read; ask again by TCP.
    public let isTruncated: Bool
    /// The queried name after all aliases.
    public private(set) var canonicalName: DNSName
    /// The smallest TTL of the records in seconds, 0...2^31 - 1; the maximum without records.
    public private(set) var timeToLive = UInt32(Int32.max)
    /// Count of `addresses`.
    public private(set) var addressCount = 0
    /// The name of an address (PTR), the first of several.
    public private(set) var pointer: DNSName?
    private var storage = InlineArray<16, IPAddress>(repeating: .v4(IPv4Address(0)))

    /// The maximum number of CNAME records to follow.
    public static var mostAliases: Int { 16 }
    /// The maximum number of addresses of a name.
    public static var mostAddresses: Int { 16 }

    /// The addresses of the queried family, in the server's order.
    public var addresses: Span<IPAddress> {
        @_lifetime(borrow self) borrowing get { storage.span.extracting(first: addressCount) }
    }

    /// Reads the answer to `query` from one message, without the two bytes of its length that TCP has before it.
    ///
    /// A server that reports an error may leave the question out; some that do not know EDNS do.
    public init(_ message: Span<UInt8>, to query: DNSQuery) throws(DNSReadingError) {
        guard let question = query.question else { throw .unrelated }
        var reader = DNSReader(message)
        let header = try DNSHeader(from: &reader)
        guard header.id == query.id, header.flags.contains(.response), header.flags.opcode == query.flags.opcode else {
            throw .unrelated
        }
        let lowCode = header.flags.lowResponseCode
        if lowCode == DNSResponseCode.noError.code || header.questionCount > 0 {
            guard header.questionCount == 1, try DNSQuestion(from: &reader) == question else { throw .unrelated }
        }
        canonicalName = question.name
        isTruncated = header.flags.contains(.truncated)
        guard !isTruncated else {
            code = DNSResponseCode(code: lowCode)
            return
        }
        let edns = try EDNS.find(in: message, header, from: reader)
        code = DNSResponseCode(code: UInt16(edns?.highResponseCode ?? 0) << 4 | lowCode)
        guard code == .noError else { return }
        try followAliases(question.type, in: message, at: reader.position, count: header.answerCount)
    }

    /// Reads the records of the queried name, or those of its alias.
    private mutating func followAliases(
        _ type: DNSType, in message: Span<UInt8>, at position: Int, count: UInt16
    ) throws(DNSReadingError) {
        for _ in 0...DNSResponse.mostAliases {
            guard let alias = try takeRecords(type, in: message, at: position, count: count) else { return }
            timeToLive = min(timeToLive, alias.timeToLive)
            canonicalName = alias.name
        }
        throw .tooManyAliases
    }

    /// Takes the canonical name's records of the given type, in the answer section at `position`. When there are none,
    /// returns what the name is an alias of.
    private mutating func takeRecords(
        _ type: DNSType, in message: Span<UInt8>, at position: Int, count: UInt16
    ) throws(DNSReadingError) -> (name: DNSName, timeToLive: UInt32)? {
        var reader = DNSReader(message, at: position)
        var alias: (name: DNSName, timeToLive: UInt32)?
        var hasRecords = false
        for _ in 0..<count {
            let record = try DNSRecord(from: &reader)
            guard record.classCode == DNSClass.internet.code, record.name == canonicalName else { continue }
            if record.type == type {
                try take(record, in: message)
                hasRecords = true
            } else if record.type == .cname, alias == nil {
                alias = (try record.nameInData(of: message), record.timeToLive)
            }
        }
        return hasRecords ? nil : alias
    }

    private mutating func take(_ record: DNSRecord, in message: Span<UInt8>) throws(DNSReadingError) {
        timeToLive = min(timeToLive, record.timeToLive)
        switch record.type {
        case .a: add(.v4(try record.ipv4Address(in: message)))
        case .aaaa: add(.v6(try record.ipv6Address(in: message)))
        case .ptr:
            let name = try record.nameInData(of: message)
            if pointer == nil { pointer = name }
        default: break
        }
    }

    private mutating func add(_ address: IPAddress) {
        guard addressCount < DNSResponse.mostAddresses else { return }
        storage[addressCount] = address
        addressCount += 1
    }
}
