import Testing

extension EndToEnd {
    /// Names that a program looks up a second time, among many others.
    @Suite struct NameAgainTests {
        @Test func `A name keeps its address, also for another program of the tree`() async throws {
            let output = try await CallProbe.run(
                "names-again", ["3000"], environment: ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1"])
            #expect(
                output.lines == [
                    "at once: none", "a few names later: none", "in the end: some", "by another program: some",
                ], "\(output.errors)")
        }
    }
}
