import Foundation
import Synchronization
import Testing

/// The C programs of Probes/, compiled once.
actor Probe {
    static let shared = Probe()

    private var built: Task<String, any Error>?

    /// The directory with `probe`.
    func directory() async throws -> String {
        if let built { return try await built.value }
        let task = Task {
            let sources = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Probes").path
            let output = try Machine.temporaryDirectory("probes").path
            let run = try await Client.start(
                ["cc", "-O1", "-Wall", "-Werror", "-o", "\(output)/probe"]
                    + ["main", "connect"].map { "\(sources)/\($0).c" }, limit: 60)
            try #require(run.status == 0, "\(run)")
            return output
        }
        built = task
        return try await task.value
    }

    /// Runs a probe under the library, and gives the lines that it printed.
    static func run(
        _ arguments: String..., proxy: String? = nil, configuration: String? = nil,
        environment: [String: String] = [:], limit: Int = 60, strays: Int? = 0,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [String] {
        let probe = try await shared.directory() + "/probe"
        let run = try await Client.run(
            [probe] + arguments, proxy: proxy, configuration: configuration, environment: environment, limit: limit,
            strays: strays, sourceLocation: sourceLocation)
        if run.status != 0 { Issue.record("\(arguments): \(run)", sourceLocation: sourceLocation) }
        return run.output.split(separator: "\n").map { String($0) }
    }

    /// Runs a probe without the library where the targets are.
    static func runNatively(_ arguments: String...) async throws -> [String] {
        let run = try await Client.runNatively([shared.directory() + "/probe"] + arguments)
        return run.output.split(separator: "\n").map { String($0) }
    }
}
