import Testing

extension Client {
    /// Runs `body` while the server's side has one more address, which the client's side reaches.
    static func withRoute<Result>(to address: String, _ body: () async throws -> Result) async throws -> Result {
        do {
            try await changeRoute("add", to: address)
            let result = try await body()
            try await changeRoute("delete", to: address)
            return result
        } catch {
            // Removes whatever of it exists, also after a failure, in a task of its own, which is never cancelled.
            try? await Task { try await changeRoute("delete", to: address) }.value
            throw error
        }
    }

    private static func changeRoute(_ change: String, to address: String) async throws {
        let client = try #require(Machine.clientDirectory)
        let script = """
            nsenter --net=\(client)/net ip route \(change) \(address)/32 via \(Machine.proxyIPv4)
            reached=$?
            ip address \(change) \(address)/32 dev lo && exit $reached
            """
        let run = try await start(["env", "PATH=\(Machine.path)", "sh", "-c", script], limit: 20)
        try #require(run.status == 0, "\(run)")
    }
}
