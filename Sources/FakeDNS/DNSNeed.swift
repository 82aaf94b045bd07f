import Addressing

/// The data needed for an answer with `dns fake`, where the proxy resolves names and there is no server to ask.
public enum DNSNeed: Equatable, Sendable {
    public enum Family: Equatable, Sendable {
        case ipv4
        case ipv6
    }

    /// The addresses of a name, for `answer(addresses:)`: its local ones, or its reserved ones. The answer is NXDOMAIN
    /// for a name without local addresses that is not resolvable (`NameSyntax`).
    case addresses(of: HostName, Family)
    /// The name of an address, for `answer(name:)`; NXDOMAIN when there is none.
    case name(of: IPAddress)
    /// Nothing: the answer is this code, without records.
    case nothing(DNSResponseCode)

    /// Decides by the question only. Every name may exist at the proxy, therefore:
    ///
    /// - HTTPS and SVCB get NODATA: these records only complement the addresses.
    /// - Types that only a server knows, such as MX, TXT and SRV, and unknown types get NOTIMP. So does ANY, also for
    ///   reverse names, because the client wants all records.
    /// - Classes other than IN and ANY are refused; the answer to ANY is that to IN.
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

    /// The root exists, without addresses. A name that is not representable as text is no host name.
    private static func addresses(of name: DNSName, _ family: Family) -> DNSNeed {
        if let host = name.hostName { return .addresses(of: host, family) }
        return .nothing(name.isRoot ? .noError : .nameError)
    }

    /// The names of addresses are answered here. Other names may have PTR records, too (RFC 6763).
    private static func reverse(_ name: DNSName) -> DNSNeed {
        guard let host = name.hostName, ReverseName.isInDomain(host.bytes) else { return .nothing(.notImplemented) }
        if let address = ReverseName.address(of: host.bytes) { return .name(of: address) }
        return .nothing(.nameError)
    }
}
