import Testing

extension EndToEnd {
    /// Pending connections for which the program does not wait. The kernel completes its own connections by itself; the
    /// library continues their handshakes while the program waits in another call.
    @Suite struct PendingBesideTests {
        private static let calls = [
            "read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg", "write", "send", "accept", "accept4", "wait",
            "wait3", "wait4", "waitpid", "waitid", "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait",
            "epoll_pwait2", "nanosleep", "clock_nanosleep", "clock_nanosleep until", "sleep", "usleep", "thrd_sleep",
            "pause", "sigsuspend",
        ]

        /// The calls that the kernel restarts after a handler with SA_RESTART (signal(7)).
        private static let restartable = Array(calls[..<15])

        private static func cases(_ way: String, of calls: [String] = calls) -> [Pending.Case] {
            calls.map {
                Pending.Case(
                    probe: "pending-beside", name: $0, arguments: [way],
                    lines: (way == "interrupted" ? ["interrupted: EINTR"] : []) + ["\($0): 1"]
                        + (way == "restarted" ? ["handled 1"] : []) + ["poll 1 OUT"] + Pending.connected)
            }
        }

        static let unwatched = cases("unwatched")
        static let watched = cases("watched")
        static let interrupted = cases("interrupted")
        static let restarted = cases("restarted", of: restartable)

        @Test(arguments: unwatched)
        func `A connection is established while the program waits for something else`(given: Pending.Case) async throws
        {
            try await Pending.check(given)
        }

        @Test(arguments: watched)
        func `So does one that an epoll watches which nobody waits on`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test(arguments: interrupted)
        func `A signal ends such a wait as it ends any other`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test(arguments: restarted)
        func `A signal whose handler restarts calls ends none of these`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test func `The kernel goes on with a connection the same`() async throws {
            try await Pending.checkNatively(Self.unwatched + Self.watched + Self.interrupted + Self.restarted)
        }
    }
}
