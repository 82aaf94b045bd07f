import Testing

extension EndToEnd {
    /// Processes that give up the rights of their first user.
    @Suite struct ChangedUserTests {
        private func lines(_ call: String) async throws -> [String] {
            try await DatagramProbe.run("users", call).0.lines.sorted()
        }

        @Test(arguments: ["setuid", "setreuid", "setresuid", "SYS_setuid", "SYS_setreuid", "SYS_setresuid"])
        func `Who has given up its user cannot change what others trust, and loses nothing that it knew`(
            call: String
        ) async throws {
            #expect(
                try await lines(call) == [
                    "child knows of its parent: EAI_NONAME", "child knows: first.test",
                    "child shares memory: no", "child's datagram: answered", "child: 0",
                    "grandchild knows: second.test", "parent knows of its child: EAI_NONAME",
                    "parent knows: first.test", "parent's datagram: answered", "parent's datagram: answered",
                ])
        }

        @Test(arguments: ["seteuid", "saved", "none"])
        func `Who can have its user back shares all with its parent`(call: String) async throws {
            #expect(
                try await lines(call) == [
                    "child knows of its parent: third.test", "child knows: first.test",
                    "child shares memory: yes", "child's datagram: answered", "child: 0",
                    "grandchild knows: second.test", "parent knows of its child: second.test",
                    "parent knows: first.test", "parent's datagram: answered", "parent's datagram: answered",
                ])
        }
    }
}
