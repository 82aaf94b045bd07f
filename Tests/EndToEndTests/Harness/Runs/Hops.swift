import TestProxy
import Testing

/// Proxies of several kinds, which form chains.
struct Hops {
    /// The side on which a proxy listens.
    enum Host {
        case near, nearIPv6, unixSocket
        /// Only another proxy reaches this one.
        case far
    }

    /// A proxy of a chain.
    struct Hop: Sendable {
        var script = Script()
        var host = Host.near
        /// The fields after its host and port in the proxy list.
        var credentials = ""

        init(
            _ proxyProtocol: ProxyProtocol = .socks5, at host: Host = .near, credentials: String = "",
            _ change: (inout Script) -> Void = { _ in }
        ) {
            script.proxyProtocol = proxyProtocol
            change(&script)
            self.host = host
            self.credentials = credentials
        }
    }

    let proxies: [TestProxy]
    /// The lines of a proxy list, one for each proxy.
    let lines: [String]

    /// Runs `body` with proxies of their own.
    static func during<Result>(_ hops: [Hop], _ body: (Hops) async throws -> Result) async throws -> Result {
        var (proxies, lines): ([TestProxy], [String]) = ([], [])
        for hop in hops {
            let proxy = try await start(hop)
            proxies.append(proxy)
            let type =
                switch hop.script.proxyProtocol {
                case .socks5: "socks5"
                case .socks4: "socks4"
                case .http: "http"
                case .raw: "raw"
                }
            if case .unixSocket = hop.host {
                lines.append("\(type)+unix://\(proxy.host)")
            } else {
                lines.append("\(type) \(proxy.host) \(proxy.port) \(hop.credentials)")
            }
        }
        return try await proxies.during { try await body(Hops(proxies: $0, lines: lines)) }
    }

    private static func start(_ hop: Hop) async throws -> TestProxy {
        switch hop.host {
        case .near: try await TestProxy.start(host: Machine.proxyIPv4, script: hop.script)
        case .nearIPv6: try await TestProxy.start(host: Machine.proxyIPv6, script: hop.script)
        case .far: try await TestProxy.start(host: "203.0.113.11", script: hop.script)
        case .unixSocket:
            try await TestProxy.start(
                unixPath: Machine.temporaryDirectory("socket").path + "/s", script: hop.script)
        }
    }

    /// The address and port of a proxy, as log lines show it.
    subscript(hop: Int) -> String {
        let (host, port) = (proxies[hop].host, proxies[hop].port)
        if lines[hop].contains("+unix://") { return host }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// The number of connections that each proxy has had.
    var connections: [Int] { proxies.map(\.sessions.count) }

    /// Runs `body` with proxies of their own, one of which never answers. Repeats it with longer limits for answers
    /// until only the silent proxy exceeds the limit: the log shows which ones did. Without a silent proxy the limit is
    /// ample.
    static func during(
        _ hops: [Hop], silent: Int?, _ body: (Hops, _ limit: String) async throws -> CallProbe.Output
    ) async throws -> (hops: Hops, output: CallProbe.Output) {
        guard let silent else {
            return try await during(hops) { ($0, try await body($0, AnswerTime.ample)) }
        }
        for limit in AnswerTime.growing.dropLast() {
            let (used, output) = try await during(hops) { ($0, try await body($0, "tcp_read_time_out \(limit)")) }
            let late = output.errorLines.filter { $0.contains("did not answer in time") }
            if late.allSatisfy({ $0.contains("proxy \(used[silent]) ") }) { return (used, output) }
        }
        return try await during(hops) {
            ($0, try await body($0, "tcp_read_time_out \(AnswerTime.growing[AnswerTime.growing.count - 1])"))
        }
    }

    /// Runs a probe with all of them as its proxy list and the most detailed log.
    func run(
        _ probe: String, _ arguments: [String], _ globals: [String] = [], lists: [String]? = nil,
        environment: [String: String] = [:], ending: Ending = .logging,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> CallProbe.Output {
        let text = ["loopback proxy", "log info"] + globals + (lists ?? ["[ProxyList]"] + lines)
        return try await ConfigurationText(text.joined(separator: "\n")).write { path in
            try await CallProbe.run(
                probe, arguments, environment: environment.merging(["SOCKSIFY_CONF": path]) { given, _ in given },
                ending: ending, sourceLocation: sourceLocation)
        }
    }
}

extension CallProbe.Output {
    /// The log lines about connections to a target, without the target and the duration.
    func log(of target: String) -> [String] {
        errorLines.compactMap { line in
            let start = "socksify: tcp \(target)"
            guard line.hasPrefix(start) else { return nil }
            var rest = String(line.dropFirst(start.count))
            if rest.hasSuffix(" ms"), let end = rest.lastIndex(of: "n") { rest = String(rest[..<end]) + "time" }
            return rest.replacing(" itime", with: "")
        }
    }
}
