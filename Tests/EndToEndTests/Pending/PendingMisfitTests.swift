import Testing

extension EndToEnd {
    /// connect(2) on a pending socket with an address that is too short for its family or has another family: the
    /// kernel checks the socket's state first.
    @Suite struct PendingMisfitTests {
        private static let cases = ["unreached", "reached", "half"].map { stage in
            Pending.Case(
                probe: "pending-misfit", name: stage,
                lines: [
                    "0 bytes: EINVAL", "1 bytes: EINVAL", "2 bytes: EALREADY", "15 bytes: EALREADY",
                    "too many bytes: EINVAL", "another family: EALREADY", "a path: EALREADY", "nothing: EFAULT",
                ] + Pending.connected)
        }

        @Test(arguments: cases) func `The socket is still connecting`(given: Pending.Case) async throws {
            try await Pending.check(given, configuration: [])
        }

        @Test func `The kernel says the same`() async throws {
            try await Pending.checkNatively(PendingMisfitTests.cases)
        }
    }
}
