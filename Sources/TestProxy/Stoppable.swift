/// What is started for a test, and stopped after it.
public protocol Stoppable: Sendable {
    func stop() async
}

extension Array: Stoppable where Element: Stoppable {
    public func stop() async {
        for element in self { await element.stop() }
    }
}

extension Stoppable {
    /// Runs `body`, and then stops this, also when the body throws.
    public func during<Result>(_ body: (Self) async throws -> Result) async throws -> Result {
        do {
            let result = try await body(self)
            await stop()
            return result
        } catch {
            await stop()
            throw error
        }
    }
}
