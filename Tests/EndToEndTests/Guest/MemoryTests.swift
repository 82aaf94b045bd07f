import TestProxy
import Testing

extension EndToEnd {
    /// Programs that have little memory, or whose calls for memory fail.
    @Suite struct MemoryTests {
        /// The library's lines do not matter here.
        private static let ending = Ending(errors: .any(because: "it may say that there is no memory"))

        private func run(
            _ name: String, _ arguments: [String] = [], _ environment: [String: String] = [:],
            ending: Ending = .clean
        ) async throws -> CallProbe.Output {
            let port = try await FarSide.echoPort
            return try await TestProxy.during { proxy in
                try await proxy.run(
                    "memory", [name, FarSide.ipv4, port] + arguments, environment: environment, ending: ending)
            }
        }

        private static let ways = ["stream", "epoll", "datagram"]

        private func connect(
            _ way: String, within limit: String, mebibytes: String, ending: Ending = .clean
        ) async throws -> [String] {
            let far = way == "datagram" ? try await EchoTargets.far(.ipv4) : [FarSide.ipv4, try await FarSide.echoPort]
            return try await TestProxy.during { proxy in
                try await proxy.run("memory", ["limited"] + far + [limit, mebibytes, way], ending: ending).lines
            }
        }

        @Test(arguments: ["space", "data", "locked"], ways)
        func `A few mebibytes are enough`(limit: String, way: String) async throws {
            #expect(try await connect(way, within: limit, mebibytes: "3") == ["echoed"])
        }

        @Test(arguments: ["space", "data", "locked"], ways)
        func `Where there is nothing to be had a connection fails, and nothing else happens`(
            limit: String, way: String
        ) async throws {
            let lines = try await connect(way, within: limit, mebibytes: "0", ending: Self.ending)
            #expect(lines.count == 1 && lines[0].hasPrefix("E"), "\(lines)")
        }

        @Test func `When no mapping is allowed any more a connection fails, and later ones do not`() async throws {
            let lines = try await run("mappings", ending: Self.ending).lines
            #expect(lines.count == 2 && lines[0].hasPrefix("E") && lines[1] == "echoed", "\(lines)")
        }

        @Test(arguments: ["stream", "epoll", "datagram"], ["once", "since"])
        func `Whichever call for memory is refused, that connection fails at most`(
            way: String, which: String
        ) async throws {
            let far = way == "datagram" ? try await EchoTargets.far(.ipv4) : [FarSide.ipv4, try await FarSide.echoPort]
            let lines = try await TestProxy.during { proxy in
                try await proxy.run("memory", ["refused"] + far + [way, which], ending: Self.ending).lines
            }
            #expect(lines.last == "all: echoed" && lines.contains { $0.contains(": E") }, "\(lines)")
            for line in lines.dropLast() {
                #expect(line.wholeMatch(of: /\d+: (echoed|E[A-Z]+), echoed then/) != nil, "\(line)")
            }
        }

        @Test func `A file that is being read when memory is refused does not stay open`() async throws {
            let port = try await FarSide.echoPort
            let rules = String(repeating: "direct host near.example\n", count: 10_000)
            try await ConfigurationText("[ProxyList]\nsocks5 10.99.0.1 1\n[Rules]\n\(rules)").write { path in
                let output = try await CallProbe.run(
                    "memory", ["refused", FarSide.ipv4, port, "stream", "since"], environment: ["SOCKSIFY_CONF": path],
                    ending: Self.ending)
                let lines = output.lines
                let wrong = lines.filter { !$0.contains(": E") || $0.contains("more") }
                #expect(lines.count > 20 && wrong.isEmpty, "\(lines.count): \(wrong)")
            }
        }

        @Test func `A name waits for memory that is refused when there has been a connection`() async throws {
            let lines = try await run("growing").lines
            #expect(lines == ["echoed", "EAI_AGAIN", "0"])
        }

        /// Counted in pages of 4 KiB.
        @Test func `What a configuration takes of a stack is given back when it has been read`() async throws {
            let lines = try await run("stacks").lines
            #expect(lines == ["echoed", "little"])
        }

        @Test func `A pending socket is one, also where nothing can be kept of its descriptor`() async throws {
            let lines = try await run("high").lines
            #expect(lines == ["echoed", "connect EINPROGRESS", "echoed"])
        }

        /// A table that the tree shares, and one that only forked processes share.
        @Test(arguments: [[:], ["SOCKSIFY_TABLE": "/nonexistent/socksify-1-0123456789abcdef"]])
        func `What a child has made that its parent did not map is found by it`(
            environment: [String: String]
        ) async throws {
            let lines = try await run("forked", ["6000"], environment).lines
            #expect(lines == ["echoed", "6000 known"])
        }

        /// Configurations of nearly the greatest size, in thirty times as much memory; in six times as much, when the
        /// rules are another program's.
        @Test(arguments: [
            ("[Rules]", "direct host h%.example\n", 120), ("[Rules]", "direct port 1\n", 120),
            ("[App another]", "direct host h%.example,g%.example\n", 24),
        ])
        func `A configuration of any size is read`(section: String, rule: String, mebibytes: Int) async throws {
            var text = "\(section)\n"
            var number = 0
            while text.utf8.count < (4 << 20) - 200 {
                text += rule.replacing("%", with: "\(number)")
                number += 1
            }
            try await connect(by: text, within: mebibytes, lines: ["echoed"], ending: .clean)
        }

        @Test func `A text of nothing but mistakes is refused as any other`() async throws {
            let text = String(repeating: "x\n", count: 2_097_000)
            try await connect(by: text, within: 40, lines: ["ENETUNREACH"], ending: .logging)
        }

        private func connect(
            by text: String, within mebibytes: Int, lines: [String], ending: Ending
        ) async throws {
            let port = try await FarSide.echoPort
            try await TestProxy.during { proxy in
                let text = "[ProxyList]\nsocks5 \(proxy.host) \(proxy.port)\n\(text)"
                try await ConfigurationText(text).write { path in
                    let output = try await CallProbe.run(
                        "memory", ["limited", FarSide.ipv4, port, "space", "\(mebibytes)", "stream"],
                        environment: ["SOCKSIFY_CONF": path], ending: ending)
                    #expect(output.lines == lines)
                }
            }
        }
    }
}
