import Glibc

/// A test waited in vain.
///
/// The limit ends a test that would hang. No result depends on it: a correct answer comes long before.
struct TimedOut: Error, CustomStringConvertible {
    static let limit = Duration.seconds(60)

    var awaited: String

    var description: String { "after \(TimedOut.limit) there is still not \(awaited)" }

    /// Makes the calls on a socket fail after the limit, with EAGAIN.
    static func limitCalls(on descriptor: CInt) {
        var limit = timeval(tv_sec: Int(limit.components.seconds), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Returns when the condition holds.
    static func wait(for awaited: String, until condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + limit
        while try !condition() {
            guard ContinuousClock.now < deadline else { throw TimedOut(awaited: awaited) }
            await Task.yield()
        }
    }
}
