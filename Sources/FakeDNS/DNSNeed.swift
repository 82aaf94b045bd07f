import Addressing

/// What must be known for an answer, where names are resolved by the proxy and so nobody can be asked (`dns fake`).
public enum DNSNeed: Equatable, Sendable {
    public enum Family: Equatable, Sendable {
        case ipv4
        case ipv6
    }

    /// The addresses of a name, for `answer(addresses:)`: its own, or the reserved ones that stand for it. A name
    /// that has none of its own and is not resolvable (`NameSyntax`) is answered with NXDOMAIN.
    case addresses(of: HostName, Family)
    /// The name of an address, for `answer(name:)`; NXDOMAIN when there is none.
    case name(of: IPAddress)
    /// Nothing: the answer is this code, without records.
    case nothing(DNSResponseCode)

    /// Decides by question alone. Every name may be there, at the proxy; so:
    ///
    /// - HTTPS and SVCB do without an answer of records (NODATA): they only add to the addresses.
    /// - What no asker can do without and only a server knows, such as MX, TXT and SRV, is not implemented here, and
    ///   neither is any type that is not known here. ANY is not either, for reverse names as well: who asks so wants
    ///   to see everything that there is.
    /// - Of classes there is the Internet's alone, also for a question about any class; others are refused.
    public init(_ query: DNSQuery) {
        if let error = query.error {
            self = .nothing(error)
        } else if let question = query.question {
            self = DNSNeed.need(of: question)
        } else {
            self = .nothing(.formatError)
        }
    }

    private static func need(of question: DNSQuestion) -> DNSNeed {
        guard question.recordClass == .internet || question.recordClass == .any else { return .nothing(.refused) }
        switch question.type {
        case .a: return addresses(of: question.name, .ipv4)
        case .aaaa: return addresses(of: question.name, .ipv6)
        case .ptr: return reverse(question.name)
        case .https, .svcb: return .nothing(.noError)
        default: return .nothing(.notImplemented)
        }
    }

    /// The root is there, without addresses; what is no text is no host's name.
    private static func addresses(of name: DNSName, _ family: Family) -> DNSNeed {
        if let host = name.hostName { return .addresses(of: host, family) }
        return .nothing(name.isRoot ? .noError : .nameError)
    }

    /// Addresses' names are known here, as far as they are at all; other names may have PTR records, too (RFC 6763).
    private static func reverse(_ name: DNSName) -> DNSNeed {
        guard let host = name.hostName, ReverseName.isInDomain(host.bytes) else { return .nothing(.notImplemented) }
        if let address = ReverseName.address(of: host.bytes) { return .name(of: address) }
        return .nothing(.nameError)
    }
}
