import Testing

extension EndToEnd {
    /// Pending sockets among other descriptors, in unusual sets, and many at once.
    @Suite struct PendingMixedWaitTests {
        private static let stages = ["reached", "greeted", "half"]

        private static let company: [(String, [String])] = [
            (
                "poll-with-pipe",
                stages.map { "\($0): 1: nothing, nothing, IN" } + ["established: OUT, IN"] + Pending.connected
            ),
            (
                "select-with-pipe",
                stages.map { "\($0): 1:, pipe 1: read" } + ["established: 2: write, pipe 2: read"] + Pending.connected
            ),
            (
                "epoll-with-pipe",
                stages.map { "\($0): pipe: IN" } + ["established: F: OUT, pipe: IN"] + Pending.connected
            ),
            (
                "poll-twice",
                ["1: nothing, nothing, nothing, NVAL", "2: OUT, nothing, OUT|WRNORM"] + Pending.connected
            ),
            (
                "wrong",
                [
                    "select: EBADF", "left: 1 1", "sleep: 0, 0", "select of less: EINVAL", "select for less: EINVAL",
                    "ppoll for too much: EINVAL", "poll of too many: EINVAL", "established: 0",
                ] + Pending.connected
            ),
            (
                "one-of-two",
                ["established F: OUT", "poll 1: nothing, OUT", "select 1:, 1: write"] + Pending.connected
                    + ["established G: OUT"] + Pending.connected
            ),
            (
                "unreadable",
                ["poll: EFAULT", "select: EFAULT", "epoll_ctl: EFAULT", "epoll_wait: EFAULT", "established: 0"]
                    + Pending.connected
            ),
            (
                "time-left",
                [
                    "select 0, left 0.000000, 0", "pselect 0, time 0.020000000", "ppoll 0, time 0.020000000",
                    "established: select 1, left some",
                ] + Pending.connected
            ),
            ("nested", ["inner F: OUT"] + Pending.connected), ("nested-polled", ["inner F: OUT"] + Pending.connected),
            ("nested-selected", ["inner F: OUT"] + Pending.connected),
            ("late-level", ["the sleeper: F: OUT", "then F: OUT"] + Pending.connected),
            ("late-edge", ["the sleeper: F: OUT", "then nothing"] + Pending.connected),
            ("late-modified", ["the sleeper: F: OUT", "then F: OUT"] + Pending.connected),
            ("shared-edge", ["told 1"] + Pending.connected), ("shared-once", ["told 1"] + Pending.connected),
            ("different-calls", ["poll 1 OUT", "select 1", "epoll F: OUT"] + Pending.connected),
            ("narrow", ["pending: pipe 600 of 600", "established: 50, pipe told", "then pipe: IN"]),
        ]

        static let mixedWaitCases = company.map { Pending.Case(probe: "pending-mixed-wait", name: $0, lines: $1) }

        @Test(arguments: mixedWaitCases)
        func `A pending socket disturbs none of those that are waited for with it`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
        }

        // MARK: Registrations that the library has not seen

        private static func hidden(_ isEdge: Bool) -> [Pending.Case] {
            func later(_ name: String) -> [String] {
                [
                    "established \(name): OUT", isEdge ? "then nothing" : "then \(name): OUT",
                    "with a byte \(name): IN|OUT", isEdge ? "read nothing" : "read \(name): OUT",
                ]
            }
            let cases: [(String, [String])] = [
                ("before", ["pending nothing"] + later("unseen")),
                ("after", ["pending nothing", "pending nothing"] + later("unseen")),
                ("beside", ["pending nothing, nothing", "established seen: OUT", "established unseen: OUT"]),
                ("edited", ["add: EEXIST", "pending nothing"] + later("seen") + ["deleted nothing"]),
                (
                    "numbered",
                    ["add: 0", "add: EEXIST", "modify: 0", "established G: OUT", "delete: 0", "deleted nothing"]
                ),
                ("inherited", ["pending nothing"] + later("unseen")),
                ("inherited-registration", ["pending nothing"] + later("inherited")),
            ]
            return cases.map {
                Pending.Case(
                    probe: "pending-hidden", name: $0, arguments: [isEdge ? "edge" : "level"],
                    lines: $1 + Pending.connected)
            }
        }

        @Test(arguments: [false, true].flatMap(hidden))
        func `A registration that was made unseen is found`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test func `There is no io_uring(7)`() async throws {
            try await Pending.check(
                Pending.Case(
                    probe: "pending-hidden", name: "ring", arguments: ["level"], lines: ["io_uring_setup: ENOSYS"]))
        }

        // MARK: Other ways to start

        private static let begun =
            ["begun: EINPROGRESS", "peer ENOTCONN, read EAGAIN, write EAGAIN", "poll 1 OUT"] + Pending.connected

        static let beginnings =
            ["sendmsg", "sendmmsg", "option", "number", "bound"].map {
                Pending.Case(probe: "pending-fastopen", name: $0, lines: begun)
            } + [
                Pending.Case(
                    probe: "pending-fastopen", name: "sendto",
                    lines: [begun[0], "again: EALREADY"] + begun.dropFirst())
            ]

        @Test(arguments: beginnings)
        func `A connection that is begun by another call is pending as well`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        // MARK: Many

        @Test(arguments: [("level", 1000), ("edge", 1000), ("poll", 500), ("select", 500)])
        func `Many pending at once all arrive`(mode: String, count: Int) async throws {
            let refused = count / 7
            let then = mode == "select" ? [] : [mode == "poll" ? "then 0" : "then nothing"]
            try await Pending.check(
                Pending.Case(
                    probe: "pending-crowd", name: mode, arguments: ["\(count)"],
                    lines: then + [
                        "connected \(count - refused), refused \(refused), wrong 0", "descriptors +0",
                    ]))
        }

        @Test(arguments: ["level", "edge", "once"])
        func `Threads that share their sets lose no event, and get none twice`(mode: String) async throws {
            try await Pending.check(
                Pending.Case(
                    probe: "pending-race", name: mode, arguments: ["200"],
                    lines: [
                        "then nothing", "then nothing",
                        "ended 800 of 800, some established, some refused, some given up, wrong 0", "descriptors +0",
                    ], ending: .logging))
        }

        // MARK: The kernel

        @Test func `The kernel waits for many the same`() async throws {
            try await Pending.checkNatively(
                // Without "one-of-two": the kernel establishes both connections to one listener together.
                PendingMixedWaitTests.mixedWaitCases.filter { $0.name != "one-of-two" }
                    + [false, true].flatMap(PendingMixedWaitTests.hidden)
                    + PendingMixedWaitTests.beginnings)
        }
    }
}
