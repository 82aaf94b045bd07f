import Addressing
import CPreload
import ProxyConfig
import SharedTables

/// Drives a pending handshake in the calling thread, for a call that waits: steps it, and waits in between. While it
/// waits others may step it too.
struct BlockingDriver {
    let socket: Socket
    /// The socket of the program whose option limits the call.
    let timed: Socket
    /// The socket's, as it was when the driver began: another may have taken its place since.
    let cookie: UInt64
    let connections: UnsafePointer<Connections>
    /// That option.
    let limit: TimeLimit
    /// Milliseconds after which the call's time is over in any case.
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
        /// None: the call is not about this socket, and is not told of a failure.
        case none
    }

    /// Why the driver came back.
    enum Outcome {
        case established
        /// The call's time is over; the handshake can go on.
        case timeOver
        /// A signal whose handler does not restart calls; the handshake can go on.
        case interrupted
        case failed(Errno)
    }

    /// The time until the call's limit is looked up. Most answers come sooner, and spare the system call.
    private static var graceBeforeLimit: Int { 10 }
    /// How long a wait may be when another thread could end the handshake meanwhile, which poll(2) does not tell.
    private static var longestSharedWait: Int { 50 }
    /// How long while there are other handshakes, which this call goes on with too.
    private static var longestWaitBesideOthers: Int { 5 }

    /// - Parameter events: what poll(2) says of the socket.
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
        /// `isAlone`: whether it is the only handshake that this call has to go on with.
        case waiting(Socket.Readiness, until: Int?, isAlone: Bool)
        case over(Outcome)
    }

    /// The kernel refuses to wait: the handshake is not to go on in a call that the program does not make.
    private func giveUp(_ error: Errno) -> Errno {
        guard var pending = enter() else { return error }
        defer { pending.leave() }
        return pending.giveUp(error, teller)
    }

    private var teller: PendingHandle.Teller { limit == .connecting ? .connect : .other }

    private func step(_ events: Int16) -> Step {
        guard var pending = enter() else {
            // Another thread ended it; or the socket was closed.
            // By then another socket may stand in the place of the one that it began with.
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

    /// The cookie that it began with finds the handshake in nearly all cases, and spares asking the socket.
    private func enter() -> PendingHandle? {
        if case .entered(let pending) = PendingHandle.enter(cookie: cookie, socket, connections) { return pending }
        guard case .entered(let pending) = PendingHandle.find(socket, connections) else { return nil }
        return pending
    }

    /// When the call's own limit is over.
    private enum End {
        case unknown
        case none
        /// In milliseconds of `Clock`.
        case at(Int)
    }

    private enum Wait {
        /// The socket's events of poll(2); 0 when it is time for another look.
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
            // As connect(2): under a limit any handler ends the call, else only one without SA_RESTART. Which handler ran
            // is not to be learned; where there are both kinds, the call ends.
            if case .at = end { return .over(.interrupted) }
            if interruptible_by_handler() != 0 { return .over(.interrupted) }
        }
        return .ready(0)
    }
}
