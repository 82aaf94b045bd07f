import Addressing
import ProxyConfig

/// What a check has found out, for people and for programs.
public struct CheckReport {
    public var target: Endpoint?
    public var lists: [ProxyCheck.ListResult]

    public init(target: Endpoint?, lists: [ProxyCheck.ListResult]) {
        self.target = target
        self.lists = lists
    }

    /// Whether every proxy and every chain can be used.
    public var isUsable: Bool { lists.allSatisfy(\.isUsable) }

    // MARK: For people

    /// A table for each list, with a line for each proxy; below each line, what failed and why.
    public var table: String {
        let tables = lists.map { "\(heading(of: $0.list))\n\(table(of: $0))" }.joined(separator: "\n")
        let hint = "\nNo connection was tried; to try one, add a destination: --check example.org:443\n"
        return target == nil ? tables + hint : tables
    }

    private func heading(of list: ProxyList) -> String {
        let name = list.name.isEmpty ? "The default chain" : "The list \(list.name.shown)"
        let way =
            switch list.mode {
            case .strict: list.hops.count > 1 ? ", each proxy through those before it" : ""
            case .dynamic, .failover, .random, .roundRobin: ", each proxy by itself"
            }
        return "\(name) (\(list.mode.text))\(way)"
    }

    private func table(of result: ProxyCheck.ListResult) -> String {
        var rows = [["", "PROXY", "REACHED", "LOGIN", "CONNECTS", "UDP", "BIND"]]
        for proxy in result.proxies { rows.append(row(of: proxy)) }
        let columns = rows[0].indices.filter { column in rows.dropFirst().contains { !$0[column].isEmpty } }
        let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines = rows.map { row in
            var line = ""
            for (column, width) in zip(columns, widths) {
                if !line.isEmpty { line += column == 1 ? " " : "  " }
                line += row[column] + String(repeating: " ", count: width - row[column].count)
            }
            while line.last == " " { line.removeLast() }
            return [line]
        }
        for (index, proxy) in result.proxies.enumerated() {
            lines[index + 1] += explanations(of: proxy).map { "      \($0)" }
        }
        var text = lines.joined().map { $0 + "\n" }.joined()
        let chain = result.list.mode == .strict ? "the whole chain" : "a chain of them"
        switch result.chain {
        case .untried: break
        case .passed(let milliseconds): text += "ok  \(chain): \(shownMilliseconds(milliseconds))\n"
        case .failed(let reason): text += "NO  \(chain): \(reason)\n"
        }
        if result.isUsable, result.proxies.allSatisfy({ $0.associate == .untried }) {
            text += "no  datagrams: only a chain of a single socks5 proxy supports them\n"
        }
        return text
    }

    private func row(of result: ProxyCheck.ProxyResult) -> [String] {
        let login = [result.method, cell(result.login)].compactMap { $0 }.filter { !$0.isEmpty }
        return [
            result.isUsable ? "ok" : "NO", result.proxy.shown, cell(result.reach), login.joined(separator: ", "),
            cell(result.connect), cell(result.associate), cell(result.bind),
        ]
    }

    private func cell(_ outcome: StepOutcome) -> String {
        switch outcome {
        case .untried: ""
        case .passed(let milliseconds): shownMilliseconds(milliseconds)
        case .failed: "no"
        }
    }

    private func explanations(of result: ProxyCheck.ProxyResult) -> [String] {
        [
            ("", result.reach), ("login: ", result.login), ("connect: ", result.connect), ("udp: ", result.associate),
            ("bind: ", result.bind),
        ].compactMap { name, outcome in
            guard case .failed(let reason) = outcome else { return nil }
            return name + reason
        }
    }

    private func shownMilliseconds(_ milliseconds: Double) -> String {
        milliseconds < 9.95 ? "\((milliseconds * 10).rounded() / 10) ms" : "\(Int(milliseconds.rounded())) ms"
    }

    // MARK: For programs

    /// The results as JSON, in one line:
    ///
    ///     {
    ///       "target": "example.org:443",      null without one
    ///       "usable": true,
    ///       "lists": [{
    ///         "name": "corp",                 null for the default chain
    ///         "mode": "strict_chain",
    ///         "usable": true,
    ///         "chain": OUTCOME,
    ///         "proxies": [{
    ///           "type": "socks5",
    ///           "location": "10.0.0.1:1080",  or the path of a socket
    ///           "usable": true,
    ///           "method": "password",         none, password, basic; null where it is not known
    ///           "reach": OUTCOME, "login": OUTCOME, "connect": OUTCOME, "udp": OUTCOME, "bind": OUTCOME
    ///         }]
    ///       }]
    ///     }
    ///
    /// OUTCOME is null for what was not tried, `{"ok": true, "ms": 1.5}`, or `{"ok": false, "error": "..."}`.
    public var json: String {
        JSON.object([
            ("target", target.map { .string($0.description) } ?? .null), ("usable", .bool(isUsable)),
            ("lists", .array(lists.map(json))),
        ])
        .text + "\n"
    }

    private func json(_ result: ProxyCheck.ListResult) -> JSON {
        .object([
            ("name", result.list.name.isEmpty ? .null : .string(result.list.name.shown)),
            ("mode", .string("\(result.list.mode.text)")), ("usable", .bool(result.isUsable)),
            ("chain", json(result.chain)), ("proxies", .array(result.proxies.map(json))),
        ])
    }

    private func json(_ result: ProxyCheck.ProxyResult) -> JSON {
        var location: [UInt8] = []
        result.proxy.location.write(to: &location)
        return .object([
            ("type", .string("\(result.proxy.type.text)")), ("location", .string(location.shown)),
            ("usable", .bool(result.isUsable)), ("method", result.method.map(JSON.string) ?? .null),
            ("reach", json(result.reach)), ("login", json(result.login)), ("connect", json(result.connect)),
            ("udp", json(result.associate)), ("bind", json(result.bind)),
        ])
    }

    private func json(_ outcome: StepOutcome) -> JSON {
        switch outcome {
        case .untried: .null
        case .passed(let milliseconds):
            .object([("ok", .bool(true)), ("ms", .number((milliseconds * 1000).rounded() / 1000))])
        case .failed(let reason): .object([("ok", .bool(false)), ("error", .string(reason))])
        }
    }
}
