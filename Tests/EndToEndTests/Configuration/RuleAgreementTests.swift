import Foundation
import SeededGenerator
import TestProxy
import Testing

extension EndToEnd {
    /// The answer of `socksify --explain` for a connection or a datagram agrees with what the library does, for a
    /// thousand rules and a thousand targets from a seeded generator. For direct traffic the log gives the same reason.
    @Suite struct RuleAgreementTests {
        struct Target: Hashable {
            var host: String
            var port: Int
            var isDatagram: Bool
            /// Whether the program gives the port when it looks the name up.
            var saysPort: Bool

            var word: String { isDatagram ? "UDP" : saysPort ? "TCP" : "tcp" }
            var subject: String { "\(isDatagram ? "udp" : "tcp") \(endpoint)" }
            var endpoint: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
        }

        /// The observable result for a target.
        struct Fate: Equatable {
            /// The probe's text after the colon: an error, or 0.
            var said: String
            /// The proxy that was asked, and the destination in its request.
            var proxy: Int?
            var asked: String?
            /// The reason why the target was direct, with its line in the configuration.
            var reason: String?
        }

        @Test(arguments: [1, 2] as [UInt64])
        func `What is explained is what happens`(seed: UInt64) async throws {
            var generator = SplitMix(state: seed)
            let rules = (0..<1000).map { _ in Self.rule(&generator) }
            // Two more targets that no rule names.
            let local = [false, true].map { Target(host: "172.16.5.5", port: 70, isDatagram: $0, saysPort: true) }
            let targets = Array(Set((0..<500).map { _ in Self.target(&generator) } + local))
                .sorted { "\($0)" < "\($1)" }
            let script = Script.with { $0.commandReplyCodes = [.connect: 6] }
            try await withProxy(script) { first, firstURL in
                try await withProxy(script) { second, secondURL in
                    try await withProxy(script) { third, thirdURL in
                        let text = """
                            localnet 172.16.0.0/12
                            [ProxyList]
                            \(firstURL)
                            [Proxies second]
                            \(secondURL)
                            [Proxies third]
                            \(thirdURL)
                            [Rules]
                            \(rules.joined(separator: "\n"))
                            """
                        try await ConfigurationText(text).write { path in
                            let explained = try await Self.explain(targets, path)
                            let happened = try await Self.meet(targets, path, [first, second, third])
                            var (kinds, reasons): (Set<String>, Set<String>) = ([], [])
                            for target in targets {
                                let (said, was) = (explained[target], happened[target])
                                #expect(said == was, "\(target)")
                                kinds.insert("\(was?.said ?? "?") \(was?.proxy ?? -1)")
                                if let reason = was?.reason { reasons.insert(reason) }
                            }
                            // Every way occurs among the targets, so the comparison covers all of them.
                            #expect(kinds.count >= 8, "\(kinds)")
                            #expect(reasons.count(where: { $0.hasPrefix("a rule says: direct ") }) >= 8, "\(reasons)")
                            #expect(reasons.contains("a localnet says so, at \(path):1:10"), "\(reasons)")
                        }
                    }
                }
            }
        }

        // MARK: Drawing

        private static let hosts = ["a.test", "b.test", "www.a.test", "x.b.test", "deep.www.a.test", "one.example"]
        private static let addresses = ["192.0.2.1", "192.0.2.130", "198.51.100.9", "172.16.5.5", "2001:db8:9::1"]

        private static func target(_ generator: inout SplitMix) -> Target {
            let isDatagram = generator.isOne(of: 4)
            return Target(
                host: generator.isOne(of: 3) ? generator.one(of: addresses) : generator.one(of: hosts),
                port: generator.below(60) + 1, isDatagram: isDatagram, saysPort: isDatagram || generator.isOne(of: 2))
        }

        private static func rule(_ generator: inout SplitMix) -> String {
            var words = [
                generator.one(of: ["direct", "block", "block unreachable", "proxy", "proxy second", "proxy third"])
            ]
            switch generator.below(4) {
            case 0, 1:
                let host = generator.one(of: hosts)
                words.append("host \(generator.one(of: [host, ".\(host)", "*\(host.dropFirst())", "nobody.test"]))")
            case 2:
                words.append(
                    "net \(generator.one(of: ["192.0.2.0/25", "192.0.2.128/25", "198.51.100.9", "2001:db8:9::/48", "172.16.0.0/16"]))"
                )
            default: break
            }
            let port = generator.below(60) + 1
            words.append("port \(port)\(generator.isOne(of: 4) ? "-\(port + 2)" : "")")
            if generator.isOne(of: 4) { words.append("proto \(generator.one(of: ["tcp", "udp"]))") }
            return words.joined(separator: " ")
        }

        // MARK: Explaining

        private struct Explanation: Decodable {
            var way: String
            var list: String?
            var target: String?
            var error: String?
            var reason: String
            var place: String?

            var because: String { "\(reason)\(place.map { ", at \($0)" } ?? "")" }
        }

        /// The tool's answers, from one run for each target in one shell.
        private static func explain(_ targets: [Target], _ path: String) async throws -> [Target: Fate] {
            let lines = targets.map { "\($0.endpoint) \($0.isDatagram ? "--udp" : "")" }.joined(separator: "\n")
            let run = try await Client.run(
                [
                    "sh", "-c",
                    "while read -r target udp; do '\(Machine.tool)' -f '\(path)' --json $udp --explain \"$target\"; done",
                ],
                input: lines + "\n", mode: .bare, limit: 120)
            try #require(run.status == 0, "\(run)")
            let objects = run.output.split(separator: "\n")
            try #require(objects.count == targets.count, "\(run)")
            var fates: [Target: Fate] = [:]
            for (target, object) in zip(targets, objects) {
                let said = try JSONDecoder().decode(Explanation.self, from: Data(object.utf8))
                switch said.way {
                case "proxy":
                    let place = ["second": 1, "third": 2][said.list ?? ""] ?? 0
                    fates[target] = Fate(said: target.isDatagram ? "0" : "ETIMEDOUT", proxy: place, asked: said.target)
                case "refused": fates[target] = Fate(said: said.error ?? "?")
                // The one address of all names (`NameServers.far`) has no route, and no rule names it.
                default: fates[target] = Fate(said: "ENETUNREACH", reason: said.because)
                }
            }
            return fates
        }

        // MARK: Trying

        /// The result for each target, and the proxy that was asked. The probe tries them one after the other.
        private static func meet(
            _ targets: [Target], _ path: String, _ proxies: [TestProxy]
        ) async throws -> [Target: Fate] {
            _ = try await NameServers.near.value
            var said: [Target: String] = [:]
            let log = try Machine.temporaryDirectory("log").appending(path: "lines").path
            let output = try await CallProbe.run(
                "ways", targets.flatMap { [$0.word, $0.host, "\($0.port)"] },
                environment: ["SOCKSIFY_CONF": path, "SOCKSIFY_LOG": "debug:\(log)"],
                preparation: NameServers.askingNear, ending: .associated(targets.count(where: \.isDatagram)))
            try #require(output.lines.count == targets.count, "\(output)")
            for (target, line) in zip(targets, output.lines) {
                let words = line.split(separator: " ")
                said[target] = words.count > 3 ? String(words[3]) : "?"
            }
            let reasons = try reasons(inLog: log)
            var fates: [Target: Fate] = [:]
            for (target, word) in said { fates[target] = Fate(said: word, reason: reasons[target.subject]) }
            for (place, proxy) in proxies.enumerated() {
                for session in proxy.sessions {
                    let destinations: [String]
                    if let association = session.association {
                        destinations = association.destinations.map { "\($0)" }
                    } else {
                        destinations = session.request.map { ["\($0.endpoint)"] } ?? []
                    }
                    for target in targets
                    where target.isDatagram == (session.association != nil) && destinations.contains(target.endpoint)
                        && fates[target]?.said == (target.isDatagram ? "0" : "ETIMEDOUT")
                    {
                        fates[target]?.proxy = place
                        fates[target]?.asked = target.endpoint
                    }
                }
            }
            return fates
        }

        /// The reasons in the log for direct traffic, by destination.
        private static func reasons(inLog path: String) throws -> [String: String] {
            var reasons: [String: String] = [:]
            for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
                let form = /.*\]: ((?:tcp|udp) \S+) goes direct, because (.*)/
                guard let match = line.wholeMatch(of: form) else { continue }
                let (subject, reason) = (String(match.1), String(match.2))
                #expect(reasons[subject] == nil || reasons[subject] == reason, "\(line)")
                reasons[subject] = reason
            }
            return reasons
        }
    }
}

extension SplitMix {
    fileprivate mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    fileprivate mutating func isOne(of count: Int) -> Bool { below(count) == 0 }
    fileprivate mutating func one<Element>(of elements: [Element]) -> Element { elements[below(elements.count)] }
}
