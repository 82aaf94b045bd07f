import Addressing
import CLibC
import ProxyConfig
import SocketTable

/// What happens to a handshake in flight when a proxy fails: the socket is connected anew, and the program sees one that
/// is still connecting.
extension HandshakeInFlight {
    /// After a failure, begins to connect to the next address of the first proxy, or to another chain of the list; false
    /// when there is none, or when it was no proxy that failed.
    func beginAnew(after failure: HandshakeError) -> Bool {
        guard hasSocket, !record.pointee.isBroken, !isExchangeUnderWay else { return false }
        var failure = failure
        while true {
            guard let proxy = prepareAnother(after: &failure) else { return false }
            do throws(Errno) {
                try socket.disconnect()
                // Which the kernel keeps after that, and the next connection would have.
                _ = socket.takeError()
                limitConnecting()
                try socket.beginConnecting(to: proxy)
                connected()
                return true
            } catch {
                if error == .inProgress { return true }
                failure = .kernel(error)
            }
        }
    }

    /// Remembers whose failure it is, and says what there is to connect to now; nil when there is nothing.
    private func prepareAnother(after failure: inout HandshakeError) -> SocketAddress? {
        if handshake.pointee.isConnecting, let first = handshake.pointee.chain[0],
            let next = runtime.pointee.firstHops.address(
                of: first, handshake.pointee.address + 1, for: handshake.pointee.peer)
        {
            write(takingErrorOf: &failure)
            handshake.pointee.beginAtNextAddress()
            return next
        }
        switch handshake.pointee.culprit(of: failure) {
        case .other:
            // A refusal is an answer.
            noteAnswers(before: handshake.pointee.hop + (failure.isRefusal ? 1 : 0))
            return nil
        case .incapable(let place):
            handshake.pointee.failed.insert(place)
        case .proxy(let place):
            noteAnswers(before: handshake.pointee.hop + (failure.isRefusal ? 1 : 0))
            runtime.pointee.health.note(failureOf: place)
            handshake.pointee.failed.insert(place)
        }
        guard let way = runtime.pointee.findAnotherWay(for: handshake) else { return nil }
        write(takingErrorOf: &failure)
        handshake.pointee.begin(way.chain)
        return way.proxy
    }

    /// Writes what has failed, now that the kernel's error will not be the program's.
    private func write(takingErrorOf failure: inout HandshakeError) {
        if case .byKernel = failure { failure = .kernel(socket.takeError() ?? .connectionRefused) }
        ConnectionLog.write(
            &handshake.pointee, record.pointee.purpose, failedBy: failure, isLast: false,
            runtime.pointee.configuration)
    }

    /// The proxies before this hop have done what they were asked for.
    func noteAnswers(before hop: Int) {
        for index in 0..<max(hop, 0) {
            guard let place = handshake.pointee.chain[index] else { return }
            runtime.pointee.health.note(answerOf: place)
        }
    }

    private var handshake: UnsafeMutablePointer<Handshake> {
        withUnsafeMutablePointer(to: &record.pointee.handshake) { $0 }
    }

    private var isExchangeUnderWay: Bool {
        if case .exchange(let exchange) = record.pointee.purpose { return exchange.isUnderWay }
        return false
    }
}
