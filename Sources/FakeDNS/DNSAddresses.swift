import Addressing

/// The addresses in a DNS message that a program reads itself: those of A and AAAA records in any section, with any
/// name, and the hints of SVCB and HTTPS records (RFC 9460 section 7.3).
public enum DNSAddresses {
    /// Whether `isAllowed` accepts all of them. False for a message that cannot be read to its end.
    public static func all(in message: Span<UInt8>, are isAllowed: (IPAddress) -> Bool) -> Bool {
        do {
            return try read(message, isAllowed)
        } catch {
            return false
        }
    }

    private static func read(
        _ message: Span<UInt8>, _ isAllowed: (IPAddress) -> Bool
    ) throws(DNSReadingError) -> Bool {
        var reader = DNSReader(message)
        let header = try DNSHeader(from: &reader)
        for _ in 0..<header.questionCount { _ = try DNSQuestion(from: &reader) }
        // A truncated message ends early.
        if header.flags.contains(.truncated) { return true }
        let count = Int(header.answerCount) + Int(header.authorityCount) + Int(header.additionalCount)
        for _ in 0..<count {
            let record = try DNSRecord(from: &reader)
            switch record.type {
            case .a: guard isAllowed(.v4(try record.ipv4Address(in: message))) else { return false }
            case .aaaa: guard isAllowed(.v6(try record.ipv6Address(in: message))) else { return false }
            case .svcb, .https: guard try areHints(of: record, message, isAllowed) else { return false }
            default: break
            }
        }
        return true
    }

    /// SvcPriority, TargetName, and parameters, each with its key and its length.
    private static func areHints(
        of record: DNSRecord, _ message: Span<UInt8>, _ isAllowed: (IPAddress) -> Bool
    ) throws(DNSReadingError) -> Bool {
        var reader = DNSReader(message.extracting(first: record.data.upperBound), at: record.data.lowerBound)
        try reader.skip(2)
        _ = try reader.name()
        while !reader.isAtEnd {
            let key = try reader.uint16()
            let end = Int(try reader.uint16()) + reader.position
            switch key {
            case ipv4Hint:
                while reader.position < end {
                    guard isAllowed(.v4(IPv4Address(try reader.uint32()))) else { return false }
                }
            case ipv6Hint:
                while reader.position < end {
                    let address = IPv6Address(high: try reader.uint64(), low: try reader.uint64())
                    guard isAllowed(.v6(address)) else { return false }
                }
            default: break
            }
            try reader.skip(end - reader.position)
        }
        return true
    }

    private static var ipv4Hint: UInt16 { 4 }
    private static var ipv6Hint: UInt16 { 6 }
}
