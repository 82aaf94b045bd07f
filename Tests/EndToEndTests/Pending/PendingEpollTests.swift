import Testing

extension EndToEnd {
    /// Registrations of a pending socket with epoll(7).
    @Suite struct PendingEpollTests {
        /// The lines of a registration, which is level-triggered or edge-triggered.
        private typealias Lines = @Sendable (_ isEdge: Bool) -> [String]

        /// The lines of a registration for input and output after the connection is established.
        private static func later(_ name: String, _ isEdge: Bool) -> [String] {
            [
                "established \(name): OUT", isEdge ? "then nothing" : "then \(name): OUT",
                "with a byte \(name): IN|OUT",
                isEdge ? "read nothing" : "read \(name): OUT",
            ]
        }

        /// The same lines for a one-shot registration.
        private static func once(_ name: String) -> [String] {
            ["established \(name): OUT", "then nothing", "with a byte nothing", "read nothing"]
        }

        private static let names: [(String, Lines)] = [
            ("before", { ["pending nothing", "pending nothing"] + later("F", $0) + Pending.connected }),
            ("before-taken", { ["unconnected F: OUT|HUP", "pending nothing"] + later("F", $0) + Pending.connected }),
            ("after", { ["pending nothing"] + later("F", $0) + Pending.connected }),
            (
                "after-establishment",
                { ["established F: OUT", $0 ? "then nothing" : "then F: OUT"] + Pending.connected }
            ),
            (
                "modified",
                {
                    ["pending nothing", "pending nothing"] + later("third", $0) + ["afterwards fourth: OUT"]
                        + Pending.connected
                }
            ),
            ("modified-to-nothing", { _ in ["established nothing", "modified third: OUT"] + Pending.connected }),
            ("deleted", { _ in ["pending nothing", "poll 1", "established nothing"] + Pending.connected }),
            (
                "deleted-and-added",
                { ["pending nothing", "pending nothing"] + later("second", $0) + Pending.connected }
            ),
            (
                "wrong",
                {
                    [
                        "modify: ENOENT", "delete: ENOENT", "add: 0", "add again: EEXIST", "no operation: EINVAL",
                        "no event: EFAULT", "no epoll: EINVAL", "bad epoll: EBADF", "bad socket: EBADF",
                        "room for none: EINVAL", "room for less: EINVAL", "no room: EBADF", "pending nothing",
                    ] + later("F", $0) + Pending.connected
                }
            ),
            (
                "one-shot",
                { _ in ["pending nothing"] + once("F") + ["armed F: OUT", "then nothing"] + Pending.connected }
            ),
            ("one-shot-before", { _ in ["pending nothing"] + once("F") + Pending.connected }),
            (
                "one-shot-armed-pending",
                { _ in
                    ["unconnected F: OUT|HUP", "pending nothing", "armed nothing"] + once("again") + Pending.connected
                }
            ),
            (
                "one-shot-armed-late",
                { _ in
                    [
                        "unconnected F: OUT|HUP", "pending nothing", "established nothing", "armed again: OUT",
                        "then nothing", "with a byte nothing", "read nothing",
                    ] + Pending.connected
                }
            ),
            (
                "exclusive",
                {
                    [
                        "add: 0", "add again: EEXIST", "modify: EINVAL", "modify to it: EINVAL", "pending nothing",
                    ] + later("F", $0) + ["modify: EINVAL", "deleted nothing"] + Pending.connected
                }
            ),
            (
                "exclusive-once",
                { _ in ["add: EINVAL", "modify to it: EINVAL", "established F: OUT"] + Pending.connected }
            ),
            (
                "reading-only",
                { _ in ["pending nothing", "established nothing", "with a byte F: IN"] + Pending.connected }
            ),
            ("hanging-up", { _ in ["pending nothing", "established F: RDHUP", "read 1 x", "read 0"] }),
            (
                "several-sets",
                {
                    [
                        "pending nothing, nothing, nothing", "established third: OUT", "established second: OUT",
                        "established first: OUT",
                        $0 ? "then nothing, nothing, nothing" : "then first: OUT, second: OUT, nothing",
                    ] + Pending.connected
                }
            ),
            ("set-closed", { ["pending nothing"] + later("first", $0) + Pending.connected }),
            ("only-set-closed", { _ in ["poll 1 OUT", "another F: OUT"] + Pending.connected }),
            (
                "set-reused",
                {
                    ["pending nothing", "pending nothing", "pending nothing", "modify: ENOENT"]
                        + ["pending nothing"] + later("F", $0) + Pending.connected
                }
            ),
            (
                "duplicated-set",
                {
                    ["add again: EEXIST", "pending nothing", "established G: OUT", $0 ? "then nothing" : "then G: OUT"]
                        + Pending.connected
                }
            ),
            (
                "refused",
                { _ in ["pending nothing", "refused F: IN|OUT|ERR|HUP|RDHUP", "error ECONNREFUSED", "error 0"] }
            ),
            (
                "refused-reading",
                { _ in ["refused reading: IN|ERR|HUP", "refused nothing asked: ERR|HUP", "error ECONNREFUSED"] }
            ),
            (
                "refused-and-again",
                {
                    ["refused F: IN|OUT|ERR|HUP|RDHUP", "error ECONNREFUSED", "pending nothing"] + later("F", $0)
                        + Pending.connected
                }
            ),
        ]

        private static func cases(at stage: String) -> [Pending.Case] {
            names.flatMap { name, lines in
                [false, true].map { isEdge in
                    Pending.Case(
                        probe: "pending-epoll", name: name, arguments: [isEdge ? "edge" : "level", stage],
                        lines: lines(isEdge),
                        // After half of the reply the proxy can only close the connection, which the log reports as the
                        // proxy's fault.
                        ending: name.hasPrefix("refused") && stage == "half" ? .logging : .clean)
                }
            }
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(cases))
        func `A registration is silent while pending, and then tells the end as any other`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
        }

        @Test(
            arguments: cases(at: "unreached").filter { ["before", "after", "modified", "refused"].contains($0.name) })
        func `A registration is silent while the proxy is being connected to`(given: Pending.Case) async throws {
            try await Pending.check(given)
        }

        @Test func `The kernel tells the end of a connection the same`() async throws {
            try await Pending.checkNatively(PendingEpollTests.cases(at: "reached"))
        }
    }
}
