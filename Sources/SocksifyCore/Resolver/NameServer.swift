import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SharedTables

/// Answers in place of the name servers that the program asks: from the table of names, or by DNS transactions through
/// the proxies, as configured. The program's own queries never leave.
enum NameServer {
    /// The TTL of the library's own answers, in seconds. The table keeps names longer.
    static var timeToLive: UInt32 { 60 }

    /// What to do about a query.
    enum Plan {
        /// The tables have the answer.
        case answer
        case ask(Request)
    }

    @inline(never)
    static func plan(for query: DNSQuery, _ connections: UnsafePointer<Connections>) -> Plan {
        if case .addresses(let name, _) = DNSNeed(query), connections.pointee.names.isRuled(name) { return .answer }
        switch connections.pointee.configuration.dns {
        case .fake, .local: return .answer
        case .tcp(let server):
            return query.error == nil ? .ask(Request(command: .connect, destination: server)) : .answer
        case .tor:
            switch DNSNeed(query) {
            case .addresses(let name, let family):
                if case .unknown = connections.pointee.names.known(name, family: family == .ipv4 ? AF_INET : AF_INET6) {
                    return .ask(.resolving(name))
                }
                return .answer
            case .name(let address):
                if case .unknown = connections.pointee.names.known(address) {
                    return .ask(.resolving(address))
                }
                return .answer
            case .nothing: return .answer
            }
        }
    }

    // MARK: Answers

    /// Answers from the tables; returns the length of the message.
    static func answer(
        _ query: DNSQuery, into buffer: UnsafeMutableRawBufferPointer, _ connections: UnsafePointer<Connections>
    ) -> Int? {
        let memory = buffer.bindMemory(to: UInt8.self)
        guard let start = memory.baseAddress else { return nil }
        let room = MutableSpan(_unsafeStart: start, count: memory.count)
        switch DNSNeed(query) {
        case .nothing(let code): return query.answer(code, into: room)
        case .name(let address):
            switch connections.pointee.names.known(address) {
            case .name(let name, _): return query.answer(name: name, timeToLive: timeToLive, into: room)
            case .tryAgain: return query.answer(.serverFailure, into: room)
            case .none, .unknown: return query.answer(.nameError, into: room)
            }
        case .addresses(let name, let family):
            let family = family == .ipv4 ? AF_INET : AF_INET6
            switch connections.pointee.names.known(name, family: family) {
            case .addresses(let known):
                let list = known.withoutRepetitions
                return query.answer(
                    addresses: list.addresses, canonicalName: list.canonicalName, timeToLive: timeToLive, into: room)
            case .none: return query.answer(.nameError, into: room)
            case .short: return query.answer(.serverFailure, into: room)
            case .unknown:
                guard let number = connections.pointee.names.number(lookingUp: name) else {
                    return query.answer(.serverFailure, into: room)
                }
                var list = ResolvedAddresses()
                list.addFake(number: number, family: family, connections.pointee.names)
                return query.answer(addresses: list.addresses, timeToLive: timeToLive, into: room)
            }
        }
    }

    /// Writes the answer to the query of a transaction into its buffer; returns the length.
    static func message(
        of transaction: DNSTransaction, _ query: DNSQuery, _ connections: UnsafePointer<Connections>
    ) -> Int? {
        let memory = transaction.answer.bindMemory(to: UInt8.self)
        guard let start = memory.baseAddress else { return nil }
        if let length = acceptedMessage(of: transaction, query, connections) {
            return query.truncate(MutableSpan(_unsafeStart: start, count: length))
        }
        let room = MutableSpan(_unsafeStart: start, count: memory.count)
        switch transaction.end {
        case .resolved(let endpoint):
            switch endpoint.host {
            case .address(let address):
                var list = ResolvedAddresses()
                if connections.pointee.names.accepts(address, answering: query) { list.addOwn(address) }
                return query.answer(addresses: list.addresses, timeToLive: timeToLive, into: room)
            case .name(let name) where NameSyntax.isOfHostElsewhere(name.bytes):
                return query.answer(name: name, timeToLive: timeToLive, into: room)
            case .name: return query.answer(.nameError, into: room)
            }
        case .notFound: return query.answer(.nameError, into: room)
        // The server's answer is not accepted: the name exists, and has no address.
        case .message: return query.answer(.noError, into: room)
        case .failed, .underWay: return query.answer(.serverFailure, into: room)
        }
    }

    /// The length of the server's answer, if there is one and the program may have it.
    private static func acceptedMessage(
        of transaction: DNSTransaction, _ query: DNSQuery, _ connections: UnsafePointer<Connections>
    ) -> Int? {
        guard case .message(let length) = transaction.end else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: transaction.answer[..<length]).bindMemory(to: UInt8.self)
        return connections.pointee.names.accepts(Span(_unsafeElements: bytes), answering: query) ? length : nil
    }

    // MARK: Calls

    /// Asks the configured server and waits for the answer, which lies in the transaction; nil if that is impossible.
    /// The caller unmaps it.
    static func ask(
        _ query: Span<UInt8>, _ request: Request, _ connections: UnsafePointer<Connections>
    ) -> DNSTransaction? {
        guard let transaction = DNSTransaction(query, for: .call) else { return nil }
        let list = connections.pointee.proxies.list(for: request)
        guard
            let connection = try? InternalConnection.prepare(
                .transaction(transaction), request, throughList: list, connections)
        else {
            transaction.unmap()
            return nil
        }
        connection.begin(connections)
        while case .underWay = transaction.end {
            if case .timeOver = connection.wait(
                connections, limitedBy: Socket(descriptor: connection.descriptor), .sendTimeout)
            {
                break
            }
        }
        return transaction
    }

    /// Answers a query as a server would (res_send(3)). Returns the length of the whole answer, of which as much is
    /// written as there is room for; nil if there is none.
    static func answer(
        message: Span<UInt8>, into room: UnsafeMutableRawBufferPointer, _ connections: UnsafePointer<Connections>
    ) -> Int? {
        guard let query = DNSQuery(message) else { return nil }
        guard case .ask(let request) = plan(for: query, connections) else {
            var storage = InlineArray<1500, UInt8>(repeating: 0)
            guard let length = withUnsafeMutableBytes(of: &storage, { answer(query, into: $0, connections) }) else {
                return nil
            }
            return withUnsafeBytes(of: &storage) { copy($0, length, to: room) }
        }
        guard let transaction = ask(message, request, connections) else { return nil }
        defer { transaction.unmap() }
        // The caller has room for more than a datagram.
        if let length = acceptedMessage(of: transaction, query, connections) {
            return copy(UnsafeRawBufferPointer(transaction.answer), length, to: room)
        }
        return self.message(of: transaction, query, connections).map {
            copy(UnsafeRawBufferPointer(transaction.answer), $0, to: room)
        }
    }

    private static func copy(
        _ message: UnsafeRawBufferPointer, _ length: Int, to room: UnsafeMutableRawBufferPointer
    ) -> Int {
        let count = min(length, room.count)
        UnsafeMutableRawBufferPointer(rebasing: room[..<count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: message[..<count]))
        return length
    }
}
