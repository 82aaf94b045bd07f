import Testing

extension EndToEnd {
    /// Registrations with EPOLLEXCLUSIVE that a socket has before it connects. The kernel cannot modify such a
    /// registration, so the library deletes it and adds it again.
    @Suite struct PendingExclusiveTests {
        private static func cases(at stage: String) -> [Pending.Case] {
            ["level", "edge"].flatMap { mode in
                let silent = ["pending nothing", "pending nothing"]
                let registered = "registered for IN|OUT" + (mode == "edge" ? ", edge-triggered" : "")
                let verdicts = ["add again: EEXIST", "modify: EINVAL", "modify to it: EINVAL"]
                let exclusive = ["\(registered), exclusive"] + verdicts + ["\(registered), exclusive"]
                let established = ["established F: OUT"] + exclusive
                let later =
                    mode == "edge"
                    ? ["then nothing", "with a byte F: IN|OUT", "read nothing"]
                    : ["then F: OUT", "with a byte F: IN|OUT", "read F: OUT"]
                let lines: [(String, [String])] = [
                    ("established", silent + established + later + Pending.connected),
                    ("changed", silent + verdicts + ["pending nothing"] + established + Pending.connected),
                    (
                        "replaced",
                        silent + ["pending nothing", "established another: OUT", registered, "modified third: OUT"]
                            + Pending.connected
                    ),
                    ("duplicated", ["pending nothing"] + established + Pending.connected),
                    (
                        "refused",
                        silent + ["refused F: IN|OUT|ERR|HUP"] + exclusive + [
                            "error ECONNREFUSED", "pending nothing",
                        ]
                            + established + later + Pending.connected
                    ),
                    ("dissolved", silent + ["dissolved 0", "registered F: OUT|ERR|HUP"] + exclusive),
                ]
                return lines.map {
                    Pending.Case(
                        probe: "pending-exclusive", name: $0, arguments: [mode, stage], lines: $1,
                        // The library logs a proxy that closes the connection, and logs nothing when a proxy refuses.
                        ending: $0 == "refused" && stage == "half" ? .logging : .clean)
                }
            }
        }

        @Test(arguments: ["reached", "greeted", "half"].flatMap(cases))
        func `An exclusive registration is silent while pending, and then exclusive as before`(
            given: Pending.Case
        ) async throws {
            try await Pending.check(given)
        }

        @Test func `The kernel treats an exclusive registration the same`() async throws {
            try await Pending.checkNatively(PendingExclusiveTests.cases(at: "reached"))
        }
    }
}
