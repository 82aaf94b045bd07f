import Addressing
import CPreload
import FakeDNS
import ProxyConfig
import SOCKS5

/// Questions to the DNS that come as datagrams.
///
/// An answer is sent by the socket to itself, behind a header that says which server it is from: so the kernel queues it,
/// and tells of it, as of any datagram.
extension NameServer {
    /// Takes a question.
    ///
    /// - Parameter named: the server; nil: the socket's peer.
    static func receive(
        _ message: UnsafePointer<msghdr>, for named: SocketAddress?, _ socket: Socket, _ slot: Int, flags: Int32,
        _ datagrams: UnsafePointer<Datagrams>
    ) -> Datagram.Sending {
        let table = datagrams.pointee.relayed
        let server: SocketAddress
        guard let record = table.enter(slot) else { return .failed(.outOfBuffers) }
        do {
            defer { table.leave(slot) }
            guard let asked = named ?? record.pointee.peer?.address else { return .pass }
            server = asked
            _ = try record.pointee.findOwnAddress(socket)
        } catch {
            return .failed(error)
        }
        let parts = MessageParts(of: message)
        guard parts.isReadable else { return .failed(Errno(EFAULT)) }
        var storage = InlineArray<1500, UInt8>(repeating: 0)
        let length = withUnsafeMutableBytes(of: &storage) { parts.copy(to: $0) }
        let question = storage.span.extracting(first: length)
        guard let query = DNSQuery(question) else { return .taken }
        let asker = DNSTransaction.Asker.datagram(
            slot: slot, cookie: table.cookie(of: slot), descriptor: socket.descriptor, server: server)
        switch plan(for: query, datagrams.pointee.connections) {
        case .answer: answer(query, asker, datagrams)
        case .ask(let request):
            guard let transaction = DNSTransaction(question, for: asker) else { return .failed(.outOfBuffers) }
            guard Questions().begin() else {
                // One that finds no room is lost, as datagrams are.
                if Questions().add(transaction) { startWaitingQuestions(datagrams) } else { transaction.unmap() }
                return .taken
            }
            do {
                let connection = try put(transaction, request, datagrams)
                // Another thread may be waiting for the answer already, where it does not go on with internal
                // connections.
                if process_is_threaded() != 0, flags & Int32(MSG_DONTWAIT) == 0, !socket.isNonBlocking {
                    _ = connection.wait(datagrams.pointee.connections, limitedBy: socket, .sendTimeout)
                }
            } catch {
                Questions().end()
                transaction.unmap()
                return .failed(error)
            }
        }
        return .taken
    }

    /// Puts a question on its way.
    @inline(never)
    private static func put(
        _ transaction: DNSTransaction, _ request: Request, _ datagrams: UnsafePointer<Datagrams>
    ) throws(Errno) -> InternalConnection {
        let list = datagrams.pointee.proxies.list(for: request)
        let connection = try InternalConnection.prepare(
            .transaction(transaction), request, throughList: list, datagrams.pointee.connections)
        connection.begin(datagrams.pointee.connections)
        return connection
    }

    /// One that was under way has ended, or one waits now.
    @inline(never)
    static func startWaitingQuestions(_ datagrams: UnsafePointer<Datagrams>) {
        Questions().startWaiting { transaction in
            let question = Span<UInt8>(_unsafeElements: transaction.query.bindMemory(to: UInt8.self))
            if !transaction.isForgotten, let query = DNSQuery(question),
                case .ask(let request) = plan(for: query, datagrams.pointee.connections),
                (try? put(transaction, request, datagrams)) != nil
            {
                return true
            }
            transaction.unmap()
            return false
        }
    }

    /// Answers from the tables.
    private static func answer(_ query: DNSQuery, _ asker: DNSTransaction.Asker, _ datagrams: UnsafePointer<Datagrams>)
    {
        var storage = InlineArray<1500, UInt8>(repeating: 0)
        let length = withUnsafeMutableBytes(of: &storage) { answer(query, into: $0, datagrams.pointee.connections) }
        guard let length else { return }
        let message = storage.span.extracting(first: length)
        message.withUnsafeBytes { deliver($0, to: asker, datagrams) }
    }

    /// Answers a datagram whose transaction is over, and gives the memory of that back.
    static func answer(_ transaction: DNSTransaction, _ datagrams: UnsafePointer<Datagrams>) {
        defer { transaction.unmap() }
        let question = Span<UInt8>(_unsafeElements: transaction.query.bindMemory(to: UInt8.self))
        guard let query = DNSQuery(question),
            let length = message(of: transaction, query, datagrams.pointee.connections)
        else { return }
        deliver(UnsafeRawBufferPointer(rebasing: transaction.answer[..<length]), to: transaction.asker, datagrams)
    }

    /// Has the socket send the answer to itself.
    private static func deliver(
        _ message: UnsafeRawBufferPointer, to asker: DNSTransaction.Asker, _ datagrams: UnsafePointer<Datagrams>
    ) {
        guard case .datagram(let slot, let cookie, let descriptor, let server) = asker else { return }
        let table = datagrams.pointee.relayed
        let socket = Socket(descriptor: descriptor)
        guard table.cookie(of: slot) == cookie, socket.cookie == cookie, let record = table.enter(slot) else {
            return
        }
        defer { table.leave(slot) }
        let header = DatagramHeader(address: server.address, port: server.port)
        let size = header.count + message.count
        // It may be as long as a datagram can be.
        guard let queue = table.makeQueue(slot) else { return }
        queue.withRoom(count: size) { room in
            header.bytes.withUnsafeBytes { room.copyMemory(from: $0) }
            UnsafeMutableRawBufferPointer(rebasing: room[header.count...]).copyMemory(from: message)
            var own = record.pointee.ownAddress
            if case .own = record.pointee.kernelPeer { own = nil }
            try? socket.sendDatagram(UnsafeRawBufferPointer(room), to: own)
        }
    }
}
