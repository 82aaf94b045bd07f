import NIOCore
import Synchronization

/// Keeps clients waiting until there are enough of them, so that they wait at the same time at any speed of the
/// machine.
///
/// Clients join and leave on their own event loops.
final class Gathering: Sendable {
    private struct State {
        var isOver = false
        var waiting: [Int: EventLoopPromise<Void>] = [:]
    }

    private let state = Mutex(State())

    /// Makes the client `index` wait until `size` clients wait. Succeeds at once if they once did.
    func join(_ index: Int, size: Int, eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let promise = eventLoop.makePromise(of: Void.self)
        let ready = state.withLock { state in
            state.waiting[index] = promise
            guard state.isOver || state.waiting.count >= size else { return [EventLoopPromise<Void>]() }
            state.isOver = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for promise in ready { promise.succeed() }
        return promise.futureResult
    }

    /// Removes a client. Returns whether it was waiting.
    func leave(_ index: Int) -> Bool {
        guard let promise = state.withLock({ $0.waiting.removeValue(forKey: index) }) else { return false }
        promise.fail(ChannelError.eof)
        return true
    }
}

/// The points at which clients of a proxy may wait for each other.
struct Gatherings: Sendable {
    let greetings = Gathering()
    let requests = Gathering()
}
