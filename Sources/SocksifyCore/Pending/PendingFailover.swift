import Addressing
import CKernel
import ProxyConfig
import SharedTables
import StreamSecurity

/// What a pending connection does if a proxy fails: the socket connects again, and the program sees one that is still
/// connecting.
extension PendingHandle {
    /// After a failure, begins to connect to the next address of the first proxy, or through another chain of the list;
    /// false if there is none, or if no proxy has failed.
    ///
    /// - Parameter failure: set to the failure of the last attempt.
    @inline(never)
    func beginAnew(after failure: inout HandshakeError) -> Bool {
        guard hasSocket, !record.pointee.isBroken, !isTransactionUnderWay else { return false }
        while true {
            guard let hop = prepareAnother(after: &failure) else { return false }
            do throws(Errno) {
                guard let address = hop.address(for: handshake.pointee.family) else { throw .networkUnreachable }
                try makeFree(for: address)
                noteVersion()
                limitConnecting()
                try socket.beginConnecting(to: address)
                record.pointee.isToldByKernel = true
                connected()
                return true
            } catch {
                record.pointee.isToldByKernel = false
                if error == .inProgress { return true }
                failure = .kernel(error)
            }
        }
    }

    // MARK: Patience

    /// Milliseconds for the TCP connection to the first proxy; nil: as long as the kernel tries.
    var connectTimeout: Int? {
        let configured = connections.pointee.configuration.connectTimeout
        return configured > 0 ? configured : patience
    }

    /// Milliseconds that a proxy may keep silent, if another can be tried and the configuration sets no limit; nil
    /// without another, or if the answer does not depend on the proxy alone.
    ///
    /// After that time the kernel has sent three SYNs (tcp(7)) and is about to send the fourth.
    var patience: Int? {
        guard handshake.pointee.isConnecting || connections.pointee.configuration.hasDefaultReadTimeout,
            !handshake.pointee.waitsForDestination, hasAlternative
        else { return nil }
        return 7000
    }

    /// Whether there is another way if the current proxy keeps silent.
    private var hasAlternative: Bool {
        if nextAddress != nil { return true }
        guard connections.pointee.configuration.proxies.count > 1 else { return false }
        guard case .proxy(let index) = handshake.pointee.culprit(of: .timedOut) else { return false }
        var failed = handshake.pointee.failed
        failed.insert(index)
        return anotherChain(besides: failed, isTaken: false) != nil
    }

    private func anotherChain(besides failed: ProxySet, isTaken: Bool) -> SelectedChain? {
        connections.pointee.proxies.selectAnotherChain(
            throughList: handshake.pointee.list, for: handshake.pointee.request, from: handshake.pointee.family,
            besides: failed, isTaken: isTaken)
    }

    /// The next address of the first proxy, while the TCP connection to it is pending.
    private var nextAddress: ProxyLocation? {
        guard handshake.pointee.isConnecting, let first = handshake.pointee.chain[0] else { return nil }
        return connections.pointee.proxies.hop(of: first, handshake.pointee.address + 1, for: handshake.pointee.family)
    }

    // MARK: Another attempt

    /// Ends the TCP connection, so that the socket can connect to the address.
    private func makeFree(for address: ProxyAddress) throws(Errno) {
        ConnectionSecurity.discard(&record.pointee.security)
        let domain = socket.domain
        if domain == AF_UNIX {
            // A Unix-domain socket connects only once.
            guard address.domain != AF_UNIX || socket.isConnected else { return }
            socket.endConnection()
        } else {
            // The error that the kernel keeps disappears with its next attempt; if it cannot begin one, it reports the
            // failure to the program's epoll(7).
            try socket.disconnect()
            guard address.domain != domain else { return }
        }
        try substituteSocket(by: address.domain)
    }

    /// Records whose failure it is, and returns the next location to connect to; nil if there is none.
    @inline(never)
    private func prepareAnother(after failure: inout HandshakeError) -> ProxyLocation? {
        if let next = nextAddress {
            write(takingErrorOf: &failure)
            handshake.pointee.beginAtNextAddress()
            return next
        }
        switch handshake.pointee.culprit(of: failure) {
        case .other:
            // A refusal is an answer, too.
            noteAnswers(before: handshake.pointee.hop + (failure.isRefusal ? 1 : 0))
            return nil
        case .incapable(let index):
            handshake.pointee.failed.insert(index)
        case .proxy(let index):
            noteAnswers(before: handshake.pointee.hop + (failure.isRefusal ? 1 : 0))
            connections.pointee.health.note(failureOf: index)
            handshake.pointee.failed.insert(index)
        }
        guard let selected = anotherChain(besides: handshake.pointee.failed, isTaken: true) else { return nil }
        write(takingErrorOf: &failure)
        handshake.pointee.begin(selected.chain)
        return selected.hop
    }

    /// Logs the failure: the program will not get the kernel's error.
    private func write(takingErrorOf failure: inout HandshakeError) {
        if case .byKernel = failure { failure = .kernel(socket.takeError() ?? .connectionRefused) }
        ConnectionLog.write(
            &handshake.pointee, record.pointee.role, failedBy: failure, isLast: false, record.pointee.security,
            connections.pointee.configuration)
    }

    /// Records that the proxies before this hop work.
    func noteAnswers(before hop: Int) {
        for index in 0..<max(hop, 0) {
            guard let proxy = handshake.pointee.chain[index] else { return }
            connections.pointee.health.note(answerOf: proxy)
        }
    }

    private var handshake: UnsafeMutablePointer<Handshake> {
        withUnsafeMutablePointer(to: &record.pointee.handshake) { $0 }
    }

    private var isTransactionUnderWay: Bool {
        if case .transaction(let transaction) = record.pointee.role { return transaction.isUnderWay }
        return false
    }
}
