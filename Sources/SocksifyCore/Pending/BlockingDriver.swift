import Addressing
import CPreload
import ProxyConfig
import SharedTables

/// Drives a pending connection in the calling thread, for a blocking call: steps it, and waits in between. During the
/// waits other threads may step it too.
struct BlockingDriver {
    let socket: Socket
    /// The program's socket whose option limits the call.
    let timed: Socket
    /// The cookie at the beginning: a substitute socket may have taken the descriptor since.
    let cookie: UInt64
    let connections: UnsafePointer<Connections>
    /// The option.
    let limit: TimeLimit
    /// Milliseconds after which the call ends in any case.
    var patience: Int?
    /// When the call began, in milliseconds of `Clock`.
    let began: Int

    enum TimeLimit {
        /// SO_SNDTIMEO, of connect(2).
        case connecting
        /// SO_SNDTIMEO
        case sendTimeout
        /// SO_RCVTIMEO
        case receiveTimeout
        /// None: the call is not about this socket, and does not report its failure.
        case none
    }

    /// Why the driver has returned.
    enum Outcome {
        case established
        /// The call's time is over; the connection can continue.
        case timeOver
        /// A signal whose handler does not restart calls; the connection can continue.
        case interrupted
        case failed(Errno)
    }

    /// Milliseconds before the call's limit is asked for. Most answers come sooner, and save the system call.
    private static var graceBeforeLimit: Int { 10 }
    /// Milliseconds of a wait while another thread could end the connection, which poll(2) does not report.
    private static var longestSharedWait: Int { 50 }
    /// Milliseconds of a wait while this call advances other connections too.
    private static var longestWaitBesideOthers: Int { 5 }

    /// - Parameter events: the result of poll(2) on the socket.
    @inline(never)
    func drive(events: Int16) -> Outcome {
        var events = events
        var end = limit == .none ? End.none : .unknown
        while true {
            let readiness: Socket.Readiness
            let deadline: Int?
            let isAlone: Bool
            switch step(events) {
            case .over(let outcome): return outcome
            case .waiting(let wanted, let limit, let alone): (readiness, deadline, isAlone) = (wanted, limit, alone)
            }
            switch wait(for: readiness, until: deadline, isAlone: isAlone, &end) {
            case .over(let outcome): return outcome
            case .ready(let ready): events = ready
            }
        }
    }

    private enum Step {
        /// `isAlone`: whether the call has no other connection to advance.
        case waiting(Socket.Readiness, until: Int?, isAlone: Bool)
        case over(Outcome)
    }

    /// The kernel refuses to wait: the connection must not continue in a call that the program does not make.
    private func giveUp(_ error: Errno) -> Errno {
        guard var pending = enter() else { return error }
        defer { pending.leave() }
        return pending.giveUp(error, teller)
    }

    private var teller: PendingHandle.Teller { limit == .connecting ? .connect : .other }

    private func step(_ events: Int16) -> Step {
        guard var pending = enter() else {
            // Another thread ended it; or the socket was closed. A substitute socket may have taken the descriptor
            // since.
            let peer = connections.pointee.sockets.peer(cookie: socket.cookie ?? cookie)
            return .over(peer == nil ? .failed(.aborted) : .established)
        }
        defer { pending.leave() }
        pending.isWatched()
        switch pending.step(events: events) {
        case .established: return .over(.established)
        case .failed: return .over(failure(of: &pending))
        case .underWay: break
        }
        if let deadline = pending.deadline, deadline <= Clock.now {
            pending.fail(.timedOut)
            switch pending.standing {
            case .established: return .over(.established)
            case .failed: return .over(failure(of: &pending))
            case .underWay: break
            }
        }
        let own: UInt64 = pending.record.pointee.attendance == .call ? 0 : 1
        return .waiting(pending.readiness, until: pending.deadline, isAlone: unattended_count() <= own)
    }

    private func failure(of pending: inout PendingHandle) -> Outcome {
        .failed(limit == .none ? .aborted : pending.takeFailure(by: teller) ?? .aborted)
    }

    /// The cookie of the beginning finds the connection in nearly all cases, and saves a system call.
    private func enter() -> PendingHandle? {
        if case .entered(let pending) = PendingHandle.enter(cookie: cookie, socket, connections) { return pending }
        guard case .entered(let pending) = PendingHandle.find(socket, connections) else { return nil }
        return pending
    }

    /// The end of the call's own limit.
    private enum End {
        case unknown
        case none
        /// In milliseconds of `Clock`.
        case at(Int)
    }

    private enum Wait {
        /// The events of poll(2) on the socket; 0: step again.
        case ready(Int16)
        case over(Outcome)
    }

    private func wait(
        for readiness: Socket.Readiness, until deadline: Int?, isAlone: Bool, _ end: inout End
    ) -> Wait {
        let now = Clock.now
        var milliseconds = deadline.map { max($0 - now, 0) }
        if process_is_threaded() != 0 { milliseconds = min(milliseconds ?? .max, BlockingDriver.longestSharedWait) }
        if !isAlone {
            Unattended.step(connections)
            milliseconds = min(milliseconds ?? .max, BlockingDriver.longestWaitBesideOthers)
        }
        if let patience {
            guard began + patience > now else { return .over(.timeOver) }
            milliseconds = min(milliseconds ?? .max, began + patience - now)
        }
        switch end {
        case .none: break
        case .unknown: milliseconds = min(milliseconds ?? .max, BlockingDriver.graceBeforeLimit)
        case .at(let end):
            guard end > now else { return .over(.timeOver) }
            milliseconds = min(milliseconds ?? .max, end - now)
        }
        let events: Int16
        var isInterrupted = false
        do {
            events = try socket.wait(for: readiness, milliseconds: milliseconds)
            if events != 0 { return .ready(events) }
        } catch {
            guard error == .interrupted else { return .over(.failed(giveUp(error))) }
            isInterrupted = true
        }
        if case .unknown = end {
            let limit = limit == .receiveTimeout ? timed.receiveTimeout : timed.sendTimeout
            end = limit.map { .at(began + $0) } ?? .none
        }
        if isInterrupted {
            // As connect(2): with a limit any handler ends the call, else only one without SA_RESTART. The kernel does
            // not say which handler ran: if there are both kinds, the call ends.
            if case .at = end { return .over(.interrupted) }
            if interruptible_by_handler() != 0 { return .over(.interrupted) }
        }
        return .ready(0)
    }
}
