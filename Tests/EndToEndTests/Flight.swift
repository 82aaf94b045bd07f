import Synchronization
import Testing

/// Connections in flight: what a program sees of a non-blocking socket between connect(2), which says EINPROGRESS, and
/// the one event that says how it ended.
///
/// The probes `flight-*` are their own proxies, so that no test depends on time. The same probes run without the
/// library on a connection that the kernel keeps in flight, and must print the same.
enum Flight {
    /// What a probe prints in the end about a connection that is there and works.
    static let connected = [
        "error 0", "peer as connected to", "again EISCONN", "heard ping", "said pong",
    ]

    /// A run of a probe, and the lines that it must print.
    struct Case: CustomTestStringConvertible, Sendable {
        var probe: String
        var name: String
        var arguments: [String] = []
        var lines: [String]

        var testDescription: String { ([name] + arguments).joined(separator: " ") }
    }

    /// Compares a run under the library.
    ///
    /// - Parameter configuration: lines of a configuration file, before the list of proxies.
    static func check(
        _ given: Case, configuration: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        // The proxy is at an address that no other run has.
        let number = runs.add(1, ordering: .relaxed).oldValue
        let address = "127.0.\(2 + number / 250).\(1 + number % 250)"
        let text = ConfigurationText(
            (configuration + ["[ProxyList]", "socks5 \(address) 1080"]).joined(separator: "\n"))
        let output = try await text.write { path in
            try await CallProbe.run(
                given.probe, [given.name, address] + given.arguments, environment: ["SOCKSIFY_CONF": path])
        }
        expect(output, given, sourceLocation: sourceLocation)
    }

    /// Compares runs without the library. They wait for the kernel most of the time, and so run at once.
    static func checkNatively(_ cases: [Case], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await withThrowingTaskGroup(of: (Case, CallProbe.Output).self) { group in
            var rest = cases[...]
            func startNext() {
                guard let next = rest.popFirst() else { return }
                group.addTask {
                    let arguments = [next.name, "native"] + next.arguments
                    return (next, try await CallProbe.run(next.probe, arguments, library: .absent))
                }
            }
            for _ in 0..<24 { startNext() }
            while let (given, output) = try await group.next() {
                expect(output, given, sourceLocation: sourceLocation)
                startNext()
            }
        }
    }

    private static func expect(_ output: CallProbe.Output, _ given: Case, sourceLocation: SourceLocation) {
        #expect(
            output.lines == given.lines, "\(given.testDescription): \(output.status) \(output.errors)",
            sourceLocation: sourceLocation)
    }

    private static let runs = Atomic(0)
}
