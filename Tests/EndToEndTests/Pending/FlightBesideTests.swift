import Testing

extension EndToEnd {
    /// Connections in flight that nobody waits for. The kernel goes on with its own by itself; the library goes on with
    /// them while the program waits for something else.
    @Suite struct FlightBesideTests {
        private static let calls = [
            "read", "readv", "recv", "recvfrom", "recvmsg", "recvmmsg", "write", "send", "accept", "accept4", "wait",
            "wait3", "wait4", "waitpid", "waitid", "poll", "ppoll", "select", "pselect", "epoll_wait", "epoll_pwait",
            "epoll_pwait2", "nanosleep", "clock_nanosleep", "clock_nanosleep until", "sleep", "usleep", "thrd_sleep",
            "pause", "sigsuspend",
        ]

        private static func cases(_ way: String) -> [Flight.Case] {
            calls.map {
                Flight.Case(
                    probe: "flight-beside", name: $0, arguments: [way],
                    lines: (way == "interrupted" ? ["interrupted: EINTR"] : []) + ["\($0): 1", "poll 1 OUT"]
                        + Flight.connected)
            }
        }

        static let unwatched = cases("unwatched")
        static let watched = cases("watched")
        static let interrupted = cases("interrupted")

        @Test(arguments: unwatched)
        func `A connection lands while the program waits for something else`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        @Test(arguments: watched)
        func `So does one that an epoll watches which nobody waits on`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        @Test(arguments: interrupted)
        func `A signal ends such a wait as it ends any other`(given: Flight.Case) async throws {
            try await Flight.check(given)
        }

        @Test func `The kernel goes on with a connection the same`() async throws {
            try await Flight.checkNatively(Self.unwatched + Self.watched + Self.interrupted)
        }
    }
}
