import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5

/// Looks names and addresses up through the proxies (`dns tcp`, `dns tor`).
enum RemoteLookup {
    /// - Parameter family: AF_INET, AF_INET6, or AF_UNSPEC for both.
    static func addresses(
        of host: HostName, family: Int32, _ connections: UnsafePointer<Connections>
    ) -> NameLookup.Answer {
        let found = find(host, family: family, connections)
        if found.list.isKnown { return .addresses(found.list) }
        return found.hasFailed ? .tryAgain : .none
    }

    /// Looks a name up in the domains of resolv.conf(5): the first name with an address counts, as in res_search(3).
    static func search(
        for name: Span<UInt8>, family: Int32, _ connections: UnsafePointer<Connections>
    ) -> NameLookup.Answer {
        var names = name_search()
        name.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            name_search_begin(&names, start.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        var isThere = false
        var hasFailed = false
        while let host = next(of: &names) {
            var found = find(host, family: family, connections)
            if found.list.count > 0 {
                if found.list.canonicalName == nil { found.list.setCanonicalName(host) }
                return .addresses(found.list)
            }
            // Do not wait for a silent server again.
            if found.isSilent { return .tryAgain }
            isThere = isThere || found.list.isKnown
            hasFailed = hasFailed || found.hasFailed
        }
        var nothing = ResolvedAddresses()
        nothing.addNothing()
        if isThere { return .addresses(nothing) }
        return hasFailed ? .tryAgain : .none
    }

    /// The next valid name.
    private static func next(of names: inout name_search) -> HostName? {
        var candidate = InlineArray<256, CChar>(repeating: 0)
        return withUnsafeMutableBytes(of: &candidate) { memory in
            guard let text = memory.baseAddress?.assumingMemoryBound(to: CChar.self) else { return nil }
            while name_search_next(&names, text) != 0 {
                let name = NameSyntax.withoutFinalDot(bytes(of: text))
                if NameSyntax.isResolvable(name), let host = HostName(name) { return host }
            }
            return nil
        }
    }

    private static func find(_ host: HostName, family: Int32, _ connections: UnsafePointer<Connections>) -> Found {
        var found = Found()
        switch connections.pointee.configuration.dns {
        case .fake, .local: found.hasFailed = true
        case .tor: found.resolve(host, family: family, connections)
        case .tcp(let server):
            if family != AF_INET6 { found.ask(server, host, .a, connections) }
            // Do not wait twice for a silent server.
            if family != AF_INET, !found.hasFailed { found.ask(server, host, .aaaa, connections) }
        }
        return found
    }

    /// The name of an address.
    static func name(of address: IPAddress, _ connections: UnsafePointer<Connections>) -> ReverseLookup.Answer {
        switch connections.pointee.configuration.dns {
        case .fake, .local: return .none
        case .tor:
            guard let transaction = NameServer.ask(Span(), .resolving(address), connections) else { return .tryAgain }
            defer { transaction.unmap() }
            switch transaction.end {
            case .resolved(let endpoint):
                if case .name(let name) = endpoint.host { return answer(name) }
                return .none
            case .notFound: return .none
            case .underWay, .message, .failed: return .tryAgain
            }
        case .tcp(let server):
            var text = FixedBytes<80>()
            ReverseName.write(for: address, to: &text)
            guard let name = DNSName(text.bytes),
                let response = response(of: server, DNSQuestion(name: name, type: .ptr), connections)
            else { return .tryAgain }
            guard response.code == .noError || response.code == .nameError else { return .tryAgain }
            return response.pointer?.hostName.map { answer($0) } ?? .none
        }
    }

    private static func answer(_ name: HostName) -> ReverseLookup.Answer {
        NameSyntax.isOfHostElsewhere(name.bytes) ? .name(name) : .none
    }

    /// The result of several questions about a name.
    private struct Found {
        var list = ResolvedAddresses()
        var hasFailed = false
        /// Whether no server has answered.
        var isSilent = false

        mutating func resolve(_ host: HostName, family: Int32, _ connections: UnsafePointer<Connections>) {
            guard let transaction = NameServer.ask(Span(), .resolving(host), connections) else { return fail() }
            defer { transaction.unmap() }
            switch transaction.end {
            case .resolved(let endpoint):
                if case .address(let address) = endpoint.host,
                    connections.pointee.names.accepts(address, for: host.bytes)
                {
                    list.add(address, ifOf: family)
                } else {
                    list.addNothing()
                }
            case .notFound: break
            case .underWay, .message, .failed: fail()
            }
        }

        private mutating func fail() {
            hasFailed = true
            isSilent = true
        }

        mutating func ask(
            _ server: Endpoint, _ host: HostName, _ type: DNSType, _ connections: UnsafePointer<Connections>
        ) {
            guard let name = DNSName(host.bytes) else { return }
            guard let response = response(of: server, DNSQuestion(name: name, type: type), connections) else {
                return fail()
            }
            switch response.code {
            case .noError: list.add(response) { connections.pointee.names.accepts($0, for: host.bytes) }
            case .nameError: break
            default: hasFailed = true
            }
        }
    }

    private static func response(
        of server: Endpoint, _ question: DNSQuestion, _ connections: UnsafePointer<Connections>
    ) -> DNSResponse? {
        var id: UInt16 = 0
        _ = kernel_random(&id, 2)
        let query = DNSQuery(asking: question, id: id)
        var storage = InlineArray<512, UInt8>(repeating: 0)
        guard let length = query.write(into: storage.mutableSpan) else { return nil }
        let request = Request(command: .connect, destination: server)
        guard let transaction = NameServer.ask(storage.span.extracting(first: length), request, connections) else {
            return nil
        }
        defer { transaction.unmap() }
        guard case .message(let count) = transaction.end else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: transaction.answer[..<count]).bindMemory(to: UInt8.self)
        return try? DNSResponse(Span(_unsafeElements: bytes), to: query)
    }
}
