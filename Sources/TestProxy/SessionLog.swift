import Synchronization

/// The sessions of a proxy. Written on the event loops, read by tests; the lock is held for one access at a time.
final class SessionLog: Sendable {
    private struct State {
        var sessions: [Session] = []
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    private struct Waiter {
        var condition: @Sendable ([Session]) -> Bool
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// The condition did not hold within the time limit.
    struct TimedOut: Error, CustomStringConvertible {
        var time: Duration
        var sessions: [Session]

        var description: String {
            let lines = sessions.map { "\n  \($0), \($0.ended ? "ended" : "not ended")" }
            return "the sessions are not as awaited after \(time): there are \(sessions.count)\(lines.joined())"
        }
    }

    /// By all logs.
    private static let begun = Atomic(0)

    private let state = Mutex(State())
    private let report: (@Sendable (Session) -> Void)?

    /// Passes each session to `report` once its outcome is known.
    init(report: (@Sendable (Session) -> Void)?) { self.report = report }

    var sessions: [Session] { state.withLock { $0.sessions } }

    /// Begins a session and returns its index.
    func begin(client: String) -> Int {
        var session = Session(client: client)
        session.number = SessionLog.begun.add(1, ordering: .relaxed).newValue
        return state.withLock { state in
            state.sessions.append(session)
            return state.sessions.count - 1
        }
    }

    func update(_ index: Int, _ change: (inout Session) -> Void) {
        let (before, after, ready) = state.withLock { state in
            let before = state.sessions[index].outcome
            change(&state.sessions[index])
            let ready = state.waiters.filter { $0.value.condition(state.sessions) }
            for number in ready.keys { state.waiters[number] = nil }
            return (before, state.sessions[index], ready.values)
        }
        if before == .inProgress, after.outcome != .inProgress { report?(after) }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Returns when the sessions are as `condition` says, or with an error after this time.
    func wait(within time: Duration, until condition: @escaping @Sendable ([Session]) -> Bool) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let number: Int? = state.withLock { state in
                if condition(state.sessions) { return nil }
                state.nextWaiter += 1
                state.waiters[state.nextWaiter] = Waiter(condition: condition, continuation: continuation)
                return state.nextWaiter
            }
            guard let number else { return continuation.resume() }
            Task {
                try await Task.sleep(for: time)
                giveUp(number, after: time)
            }
        }
    }

    private func giveUp(_ number: Int, after time: Duration) {
        let (waiter, sessions) = state.withLock { ($0.waiters.removeValue(forKey: number), $0.sessions) }
        waiter?.continuation.resume(throwing: TimedOut(time: time, sessions: sessions))
    }
}
