import TestProxy
import Testing

/// Runs of the probes `datagram-*`, which print what a program sees of its datagrams. Through a proxy they must print
/// the same as without the library towards a server that is reached without a proxy.
enum DatagramProbe {
    typealias Family = EchoTargets.Family

    /// Compares a run through a proxy that follows `script` with a run without the library.
    ///
    /// - Parameter configuration: lines of a configuration file, before the list of proxies.
    @discardableResult
    static func compare(
        _ probe: String, _ name: String, _ family: Family = .ipv4, with others: Bool = false,
        proxy host: String = Machine.proxyIPv4, configuration: [String] = [], script: Script = Script(),
        ending: Ending = .associated(1), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> [Session] {
        let nearSecond = try await others ? EchoTargets.nearSecond : []
        let farSecond = try await others ? EchoTargets.farSecond : []
        let native = try await CallProbe.run(
            probe, [name] + EchoTargets.near(family) + nearSecond, library: .absent, sourceLocation: sourceLocation)
        let (carried, sessions) = try await run(
            probe, name, family, farSecond, proxy: host, configuration: configuration, script: script, ending: ending,
            sourceLocation: sourceLocation)
        #expect(
            carried.lines == native.lines, "\(probe) \(name): \(carried.errors)", sourceLocation: sourceLocation)
        return sessions
    }

    /// Runs a probe through a proxy.
    static func run(
        _ probe: String, _ name: String, _ family: Family = .ipv4, _ arguments: [String] = [],
        proxy host: String = Machine.proxyIPv4, configuration: [String] = [], script: Script = Script(),
        ending: Ending = .associated(1), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> (CallProbe.Output, [Session]) {
        try await TestProxy.during(host: host) { _ in
            script
        } _: { proxy in
            let output = try await run(
                probe, [name] + EchoTargets.far(family) + arguments, proxy: (host, proxy.port), configuration,
                ending: ending, sourceLocation: sourceLocation)
            return (output, proxy.sessions)
        }
    }

    /// Runs a probe through the proxy at an address and port.
    static func run(
        _ probe: String, _ arguments: [String], proxy: (host: String, port: Int), _ configuration: [String],
        ending: Ending = .associated(1), sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> CallProbe.Output {
        let list = ["[ProxyList]", "socks5 \(proxy.host) \(proxy.port)"]
        return try await ConfigurationText((configuration + list).joined(separator: "\n")).write { path in
            try await CallProbe.run(
                probe, arguments, environment: ["SOCKSIFY_CONF": path], ending: ending, sourceLocation: sourceLocation)
        }
    }
}
