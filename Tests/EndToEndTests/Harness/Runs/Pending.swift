import Synchronization
import Testing

/// Pending connections: what a program sees of a non-blocking socket between connect(2), which fails with EINPROGRESS,
/// and the one event that reports the outcome.
///
/// The probes `pending-*` are their own proxies, so that no test depends on time. The same probes run without the
/// library on a connection that the kernel keeps pending, and must print the same.
enum Pending {
    /// The last lines of a probe whose connection is established and works.
    static let connected = [
        "error 0", "peer as connected to", "again EISCONN", "heard ping", "said pong",
    ]

    /// A run of a probe, and the lines that it must print.
    struct Case: CustomTestStringConvertible, Sendable {
        var probe: String
        var name: String
        var arguments: [String] = []
        var lines: [String]
        /// How the probe ends under the library. Without the library it always ends cleanly.
        var ending = Ending.clean

        var testDescription: String { ([name] + arguments).joined(separator: " ") }
    }

    /// Compares a run under the library with the expected lines.
    ///
    /// - Parameter configuration: lines of a configuration file, before the list of proxies.
    static func check(
        _ given: Case, configuration: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let run = try await observe(given, configuration)
        expect(run, given, given.ending, sourceLocation: sourceLocation)
    }

    /// Compares a run in which the proxy once does not answer in time. A run that took less than twice the limit had no
    /// other late answer. A run that took longer and ended differently proves nothing, and is repeated with a longer
    /// limit.
    static func checkSilence(_ given: Case, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for limit in [1000, 8000] {
            let began = ContinuousClock.now
            let run = try await observe(given, ["tcp_read_time_out \(limit)"])
            let isShort = ContinuousClock.now - began < .milliseconds(2 * limit)
            if isShort || limit == 8000 || lines(of: run) == given.lines {
                return expect(run, given, given.ending, sourceLocation: sourceLocation)
            }
        }
    }

    private static func observe(_ given: Case, _ configuration: [String]) async throws -> Run {
        // Each run has a proxy address of its own.
        let number = runs.add(1, ordering: .relaxed).oldValue
        let address = "127.0.\(2 + number / 250).\(1 + number % 250)"
        let text = ConfigurationText(
            (configuration + ["[ProxyList]", "socks5 \(address) 1080"]).joined(separator: "\n"))
        return try await text.write { path in
            try await CallProbe.observe(
                given.probe, [given.name, address] + given.arguments, environment: ["SOCKSIFY_CONF": path])
        }
    }

    /// Compares runs without the library with the expected lines. They spend most of the time waiting for the kernel,
    /// so they run in parallel.
    static func checkNatively(_ cases: [Case], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await withThrowingTaskGroup(of: (Case, Run).self) { group in
            var rest = cases[...]
            func startNext() {
                guard let next = rest.popFirst() else { return }
                group.addTask {
                    let arguments = [next.name, "native"] + next.arguments
                    return (next, try await CallProbe.observe(next.probe, arguments, library: .absent))
                }
            }
            for _ in 0..<24 { startNext() }
            while let (given, run) = try await group.next() {
                expect(run, given, .clean, sourceLocation: sourceLocation)
                startNext()
            }
        }
    }

    private static func lines(of run: Run) -> [String] { CallProbe.Output(text: run.output, errors: run.error).lines }

    private static func expect(_ run: Run, _ given: Case, _ ending: Ending, sourceLocation: SourceLocation) {
        ending.check(run, "\(given.probe) \(given.testDescription)", sourceLocation: sourceLocation)
        #expect(lines(of: run) == given.lines, "\(given.testDescription): \(run)", sourceLocation: sourceLocation)
    }

    private static let runs = Atomic(0)
}
