import Testing

/// The C program of `Probes`. Its first argument chooses what it does.
enum Probe {
    static var path: String { get async throws { try await CallProbe.path(of: "probe") } }

    /// Runs the program under the library and returns the lines that it printed.
    static func run(
        _ arguments: String..., proxy: String? = nil, configuration: String? = nil,
        environment: [String: String] = [:], limit: Int = 60, strays: Int? = 0, ending: Ending = .clean,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let run = try await Client.run(
            [path] + arguments, proxy: proxy, configuration: configuration, environment: environment, limit: limit,
            strays: strays, ending: ending, sourceLocation: sourceLocation)
        return run.output.split(separator: "\n").map { String($0) }
    }

    /// Runs the program on the targets' side without the library.
    static func runNatively(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let run = try await Client.runNatively([path] + arguments)
        Ending.clean.check(run, "\(arguments)", sourceLocation: sourceLocation)
        return run.output.split(separator: "\n").map { String($0) }
    }
}
