import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5
import SocketTable

/// Stands in for the servers of the DNS that the program asks: their datagrams never leave. What is asked is answered from
/// the table of names, or goes through the proxies by TCP, as the configuration has it.
///
/// An answer is sent by the socket to itself, behind a header that says which server it is from: so the kernel queues it,
/// and tells of it, as of any datagram.
enum NameServer {
    /// Seconds that an answer of the library's own is valid for. The table keeps names longer.
    static var timeToLive: UInt32 { 60 }

    // MARK: Datagrams

    /// Takes a question.
    ///
    /// - Parameter named: the server; nil: the socket's peer.
    static func receive(
        _ message: UnsafePointer<msghdr>, for named: SocketAddress?, _ socket: Socket, _ place: Int, flags: Int32,
        _ runtime: UnsafePointer<Runtime>
    ) -> Datagram.Sending {
        let table = runtime.pointee.carried
        let server: SocketAddress
        guard let record = table.enter(place) else { return .failed(.outOfBuffers) }
        do {
            defer { table.leave(place) }
            guard let asked = named ?? record.pointee.peer?.address else { return .pass }
            server = asked
            _ = try record.pointee.findOwnAddress(socket)
        } catch {
            return .failed(error)
        }
        guard Datagram.isReadable(message) else { return .failed(Errno(EFAULT)) }
        var storage = InlineArray<1500, UInt8>(repeating: 0)
        let length = withUnsafeMutableBytes(of: &storage) { Datagram.copy(message, to: $0) }
        let question = storage.span.extracting(first: length)
        guard let query = DNSQuery(question) else { return .taken }
        let asker = Exchange.Asker.datagram(
            place: place, cookie: table.cookie(of: place), descriptor: socket.descriptor, server: server)
        switch plan(for: query, runtime) {
        case .answer: answer(query, asker, runtime)
        case .ask(let request):
            guard let exchange = Exchange(question, for: asker) else { return .failed(.outOfBuffers) }
            guard Questions().begin() else {
                // One that finds no room is lost, as datagrams are.
                if Questions().add(exchange) { startWaitingQuestions(runtime) } else { exchange.unmap() }
                return .taken
            }
            do {
                let errand = try put(exchange, request, runtime)
                // Another thread may be waiting for the answer already, where it does not go on with errands.
                if process_is_threaded() != 0, flags & Int32(MSG_DONTWAIT) == 0, !socket.isNonBlocking {
                    _ = errand.wait(runtime, limitedBy: socket, .sendTimeout)
                }
            } catch {
                Questions().end()
                exchange.unmap()
                return .failed(error)
            }
        }
        return .taken
    }

    /// Puts a question on its way.
    @inline(never)
    private static func put(
        _ exchange: Exchange, _ request: Request, _ runtime: UnsafePointer<Runtime>
    ) throws(Errno) -> Errand {
        let list = runtime.pointee.proxies.list(for: request)
        let errand = try Errand.prepare(.exchange(exchange), request, throughList: list, runtime)
        errand.begin(runtime)
        return errand
    }

    /// One that was under way has ended, or one waits now.
    @inline(never)
    static func startWaitingQuestions(_ runtime: UnsafePointer<Runtime>) {
        Questions().startWaiting { exchange in
            let question = Span<UInt8>(_unsafeElements: exchange.query.bindMemory(to: UInt8.self))
            if !exchange.isForgotten, let query = DNSQuery(question),
                case .ask(let request) = plan(for: query, runtime),
                (try? put(exchange, request, runtime)) != nil
            {
                return true
            }
            exchange.unmap()
            return false
        }
    }

    /// What is to be done about a query.
    private enum Plan {
        /// All that is needed is known.
        case answer
        case ask(Request)
    }

    @inline(never)
    private static func plan(for query: DNSQuery, _ runtime: UnsafePointer<Runtime>) -> Plan {
        if case .addresses(let name, _) = DNSNeed(query), runtime.pointee.names.isRuled(name) { return .answer }
        switch runtime.pointee.configuration.dns {
        case .fake, .local: return .answer
        case .tcp(let server):
            return query.error == nil ? .ask(Request(command: .connect, destination: server)) : .answer
        case .tor:
            switch DNSNeed(query) {
            case .addresses(let name, let family):
                if case .unknown = runtime.pointee.names.known(name, family: family == .ipv4 ? AF_INET : AF_INET6) {
                    return .ask(.resolving(name))
                }
                return .answer
            case .name(let address):
                if case .unknown = runtime.pointee.names.known(address) {
                    return .ask(.resolving(address))
                }
                return .answer
            case .nothing: return .answer
            }
        }
    }

    // MARK: Answers

    /// Answers from what is known.
    private static func answer(_ query: DNSQuery, _ asker: Exchange.Asker, _ runtime: UnsafePointer<Runtime>) {
        var storage = InlineArray<1500, UInt8>(repeating: 0)
        let length = withUnsafeMutableBytes(of: &storage) { answer(query, into: $0, runtime) }
        guard let length else { return }
        let message = storage.span.extracting(first: length)
        message.withUnsafeBytes { deliver($0, to: asker, runtime) }
    }

    /// Answers from what is known; returns the length of the message.
    static func answer(
        _ query: DNSQuery, into buffer: UnsafeMutableRawBufferPointer, _ runtime: UnsafePointer<Runtime>
    ) -> Int? {
        let memory = buffer.bindMemory(to: UInt8.self)
        guard let start = memory.baseAddress else { return nil }
        let room = MutableSpan(_unsafeStart: start, count: memory.count)
        switch DNSNeed(query) {
        case .nothing(let code): return query.answer(code, into: room)
        case .name(let address):
            switch runtime.pointee.names.known(address) {
            case .name(let name, _): return query.answer(name: name, timeToLive: timeToLive, into: room)
            case .tryAgain: return query.answer(.serverFailure, into: room)
            case .none, .unknown: return query.answer(.nameError, into: room)
            }
        case .addresses(let name, let family):
            let family = family == .ipv4 ? AF_INET : AF_INET6
            switch runtime.pointee.names.known(name, family: family) {
            case .addresses(let known):
                let list = known.withoutRepetitions
                return query.answer(
                    addresses: list.addresses, canonicalName: list.canonicalName, timeToLive: timeToLive, into: room)
            case .none: return query.answer(.nameError, into: room)
            case .short: return query.answer(.serverFailure, into: room)
            case .unknown:
                guard let number = runtime.pointee.names.number(lookingUp: name) else {
                    return query.answer(.serverFailure, into: room)
                }
                var list = AddressList()
                list.addFake(number: number, family: family, runtime.pointee.names)
                return query.answer(addresses: list.addresses, timeToLive: timeToLive, into: room)
            }
        }
    }

    /// Answers a datagram whose exchange is over.
    static func answer(_ exchange: Exchange, _ runtime: UnsafePointer<Runtime>) {
        let question = Span<UInt8>(_unsafeElements: exchange.query.bindMemory(to: UInt8.self))
        guard let query = DNSQuery(question), let length = message(of: exchange, query, runtime) else { return }
        deliver(UnsafeRawBufferPointer(rebasing: exchange.answer[..<length]), to: exchange.asker, runtime)
    }

    /// Makes the message that answers the query of an exchange in the room of its answer; returns its length.
    private static func message(
        of exchange: Exchange, _ query: DNSQuery, _ runtime: UnsafePointer<Runtime>
    ) -> Int? {
        let memory = exchange.answer.bindMemory(to: UInt8.self)
        guard let start = memory.baseAddress else { return nil }
        if let length = acceptedMessage(of: exchange, query, runtime) {
            return query.truncate(MutableSpan(_unsafeStart: start, count: length))
        }
        let room = MutableSpan(_unsafeStart: start, count: memory.count)
        switch exchange.end {
        case .resolved(let endpoint):
            switch endpoint.host {
            case .address(let address):
                var list = AddressList()
                if runtime.pointee.names.accepts(address, answering: query) { list.addOwn(address) }
                return query.answer(addresses: list.addresses, timeToLive: timeToLive, into: room)
            case .name(let name) where NameSyntax.isOfHostElsewhere(name.bytes):
                return query.answer(name: name, timeToLive: timeToLive, into: room)
            case .name: return query.answer(.nameError, into: room)
            }
        case .notFound: return query.answer(.nameError, into: room)
        // It is not accepted: the name is there, and has no address.
        case .message: return query.answer(.noError, into: room)
        case .failed, .underWay: return query.answer(.serverFailure, into: room)
        }
    }

    /// The length of the message that a server has answered, if it has and the program may have it.
    private static func acceptedMessage(
        of exchange: Exchange, _ query: DNSQuery, _ runtime: UnsafePointer<Runtime>
    ) -> Int? {
        guard case .message(let length) = exchange.end else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: exchange.answer[..<length]).bindMemory(to: UInt8.self)
        return runtime.pointee.names.accepts(Span(_unsafeElements: bytes), answering: query) ? length : nil
    }

    /// Has the socket send the answer to itself.
    private static func deliver(
        _ message: UnsafeRawBufferPointer, to asker: Exchange.Asker, _ runtime: UnsafePointer<Runtime>
    ) {
        guard case .datagram(let place, let cookie, let descriptor, let server) = asker else { return }
        let table = runtime.pointee.carried
        let socket = Socket(descriptor: descriptor)
        guard table.cookie(of: place) == cookie, socket.cookie == cookie, let record = table.enter(place) else {
            return
        }
        defer { table.leave(place) }
        let header = DatagramHeader(address: server.address, port: server.port)
        let size = header.count + message.count
        // It may be as long as a datagram can be.
        guard let queue = table.makeQueue(place) else { return }
        queue.withRoom(count: size) { room in
            header.bytes.withUnsafeBytes { room.copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: room[header.count...]).copyMemory(from: message)
            var own = record.pointee.ownAddress
            if case .own = record.pointee.kernelPeer { own = nil }
            try? socket.sendDatagram(UnsafeRawBufferPointer(room), to: own)
        }
    }

    // MARK: Calls

    /// Puts a query to the server of the configuration and waits for the answer, which lies in the exchange; nil when that
    /// cannot be. To be unmapped by the caller.
    static func ask(
        _ query: Span<UInt8>, _ request: Request, _ runtime: UnsafePointer<Runtime>
    ) -> Exchange? {
        guard let exchange = Exchange(query, for: .call) else { return nil }
        let list = runtime.pointee.proxies.list(for: request)
        guard let errand = try? Errand.prepare(.exchange(exchange), request, throughList: list, runtime) else {
            exchange.unmap()
            return nil
        }
        errand.begin(runtime)
        while case .underWay = exchange.end {
            if case .timeOver = errand.wait(runtime, limitedBy: Socket(descriptor: errand.descriptor), .sendTimeout) {
                break
            }
        }
        return exchange
    }

    /// Answers a query as a server would (res_send(3)); returns the length of the whole answer, of which as much is written
    /// as there is room for; nil when there is none.
    static func answer(
        message: Span<UInt8>, into room: UnsafeMutableRawBufferPointer, _ runtime: UnsafePointer<Runtime>
    ) -> Int? {
        guard let query = DNSQuery(message) else { return nil }
        guard case .ask(let request) = plan(for: query, runtime) else {
            var storage = InlineArray<1500, UInt8>(repeating: 0)
            guard let length = withUnsafeMutableBytes(of: &storage, { answer(query, into: $0, runtime) }) else {
                return nil
            }
            return withUnsafeBytes(of: &storage) { copy($0, length, to: room) }
        }
        guard let exchange = ask(message, request, runtime) else { return nil }
        defer { exchange.unmap() }
        // Who gives the room itself takes more than a datagram has.
        if let length = acceptedMessage(of: exchange, query, runtime) {
            return copy(UnsafeRawBufferPointer(exchange.answer), length, to: room)
        }
        return self.message(of: exchange, query, runtime).map {
            copy(UnsafeRawBufferPointer(exchange.answer), $0, to: room)
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
