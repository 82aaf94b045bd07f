import TestProxy
import Testing

/// Proxies that the family of a program's socket does not reach: the library replaces the socket, and the program must
/// not notice.
extension EndToEnd {
    @Suite struct FamilyTests {
        /// The place of a proxy that an IPv4 socket does not reach.
        enum Place: String, CaseIterable, CustomTestStringConvertible {
            case ipv6 = "an IPv6 address"
            case unixSocket = "a Unix-domain socket"

            var testDescription: String { rawValue }

            /// Runs `body` with a proxy at this place, and its URL.
            func withProxy<Result>(
                _ script: @escaping @Sendable (Int) -> Script = { _ in Script() },
                _ body: (TestProxy, _ url: String) async throws -> Result
            ) async throws -> Result {
                let proxy: TestProxy
                let url: String
                switch self {
                case .ipv6:
                    proxy = try await TestProxy.start(host: Machine.proxyIPv6)
                    url = "socks5://[\(Machine.proxyIPv6)]:\(proxy.port)"
                case .unixSocket:
                    let path = try Machine.temporaryDirectory("socket").path + "/s"
                    proxy = try await TestProxy.start(unixPath: path)
                    url = "socks5+unix://\(path)"
                }
                proxy.follow(script)
                return try await proxy.during { try await body($0, url) }
            }

            func run(
                _ probe: String, _ arguments: [String], ending: Ending = .clean,
                _ script: @escaping @Sendable (Int) -> Script = { _ in Script() }
            ) async throws -> CallProbe.Output {
                try await withProxy(script) { _, url in
                    try await CallProbe.run(probe, arguments, environment: ["SOCKSIFY_PROXY": url], ending: ending)
                }
            }
        }

        /// The lines of a probe with a proxy that its own socket reaches.
        private func reference(
            _ arguments: [String], host: String = Machine.proxyIPv4, _ script: @escaping @Sendable (Int) -> Script
        ) async throws -> [String] {
            let output = try await TestProxy.during(host: host, script) { proxy in
                let address = host.contains(":") ? "[\(host)]" : host
                return try await CallProbe.run(
                    "family", arguments, environment: ["SOCKSIFY_PROXY": "socks5://\(address):\(proxy.port)"])
            }
            #expect(!output.lines.isEmpty, "\(output)")
            return output.lines
        }

        static let cases = [
            "identity", "options", "duplicates", "children", "epolls", "epolls-shared", "epoll-in-thread", "selecting",
            "polls-in-threads",
            "unspecified", "connected-directly", "data",
        ]

        @Test(arguments: cases + ["misfit"], Place.allCases)
        func `A program sees the socket that it made`(name: String, place: Place) async throws {
            let arguments = try await [name, FarSide.ipv4, FarSide.echoPort]
            let output = try await place.run("family", arguments)
            #expect(try await output.lines == reference(arguments) { _ in Script() }, "\(output)")
        }

        @Test(arguments: ["failure", "directly"], Place.allCases)
        func `A socket that failed connects again, through the proxy or directly`(
            name: String, place: Place
        ) async throws {
            let script: @Sendable (Int) -> Script = { number in
                .with { if number.isMultiple(of: 2) { $0.replyCode = 5 } }
            }
            let arguments = try await [name, FarSide.ipv4, FarSide.echoPort]
            let output = try await place.run("family", arguments, script)
            #expect(try await output.lines == reference(arguments, script), "\(output)")
        }

        @Test func `A socket of IPv6 alone reaches proxies of other families`() async throws {
            let arguments = try await ["only-ipv6", FarSide.ipv6, FarSide.echoPort6]
            let lines = try await reference(arguments, host: Machine.proxyIPv6) { _ in Script() }
            #expect(lines == ["connect 0", "only 1, class 0", "class 8", "peer as connected to", "echoed"])
            #expect(try await reference(arguments) { _ in Script() } == lines)
            #expect(try await Place.unixSocket.run("family", arguments).lines == lines)
        }

        @Test(arguments: [("0.0.0.0", "name 0.0.0.0 4444, 16 bytes"), ("10.99.0.2", nil)])
        func `A bound socket keeps its port where there is a corresponding address`(
            address: String, name: String?
        ) async throws {
            let arguments = try await ["bound", FarSide.ipv4, FarSide.echoPort, address, "4444"]
            let lines = ["name \(address) 4444, 16 bytes", "peer as connected to"]
            #expect(try await Place.unixSocket.run("family", arguments).lines == ["connect 0"] + lines)
            let output = try await Place.ipv6.run("family", arguments)
            if let name {
                #expect(output.lines == ["connect 0", name, "peer as connected to"])
            } else {
                #expect(output.lines == ["connect EADDRNOTAVAIL", lines[0], "peer ENOTCONN"])
            }
        }

        @Test func `The port of a bound socket is what the proxy sees`() async throws {
            let arguments = try await ["bound", FarSide.ipv6, FarSide.echoPort6, "::", "4447"]
            let lines = try await reference(arguments) { _ in Script() }
            #expect(lines == ["connect 0", "name :: 4447, 28 bytes", "peer as connected to"])
        }

        @Test(arguments: [FarSide.ipv4, FarSide.ipv6], [Machine.proxyIPv4, Machine.proxyIPv6])
        func `The own address is of the version of the peer's`(host: String, proxy: String) async throws {
            let port = try await host == FarSide.ipv4 ? FarSide.echoPort : FarSide.echoPort6
            let lines = try await reference(["versions", host, port], host: proxy) { _ in Script() }
            let agrees = "of its family 1, of its version 1, with a port 1"
            #expect(
                lines == [
                    "connect EINPROGRESS", "pending: \(agrees)", "error 0", "connected: \(agrees)",
                    "by another number: \(agrees)", "by a later one: \(agrees)", "cut 1 1", "peer as connected to",
                ])
        }

        @Test(arguments: ["blocking", "nonblocking"], Place.allCases)
        func `Settings and descriptors stay as they were`(mode: String, place: Place) async throws {
            let output = try await place.run("connecting", [mode, FarSide.ipv4, FarSide.echoPort, "1"])
            #expect(output.lines == ["0", "peer as connected to", "echoed", "again EISCONN", "descriptors +0"])
        }

        @Test(arguments: ["blocking", "nonblocking"])
        func `A path where no proxy listens refuses`(mode: String) async throws {
            let path = try Machine.temporaryDirectory("socket").path + "/none"
            let line = "tcp 203.0.113.10:80: proxy \(path) cannot be connected to: no such file or directory"
            let output = try await CallProbe.run(
                "connecting", [mode, FarSide.ipv4, "80", "2"], environment: ["SOCKSIFY_PROXY": "socks5+unix://\(path)"],
                ending: .logging(line, line))
            let refused = ["ECONNREFUSED", "peer ENOTCONN"]
            #expect(output.lines == refused + refused + ["descriptors +0"])
        }

        @Test(arguments: [0, 2, 3], ["blocking", "nonblocking"])
        func `A proxy that ends or says nonsense leaves nothing behind`(offset: Int, mode: String) async throws {
            // After the version the garbage is a reply that refuses, and a close in place of a reply is one, too; the
            // library logs neither.
            for (kind, ending) in [
                (Script.Fault.Kind.close, offset == 2 ? Ending.clean : .logging),
                (.garbage(Array("HTTP/1.1 400".utf8)), offset == 3 ? .clean : .logging),
            ] {
                let fault = Script.Fault(kind, after: offset)
                let output = try await Place.unixSocket.run(
                    "connecting", [mode, FarSide.ipv4, FarSide.echoPort, "2"], ending: ending
                ) { number in .with { if number == 0 { $0.fault = fault } } }
                #expect(
                    output.lines == [
                        "ECONNREFUSED", "peer ENOTCONN", "0", "peer as connected to", "echoed", "again EISCONN",
                        "descriptors +0",
                    ], "\(fault) \(output)")
            }
        }

        @Test(arguments: EventLoopProgram.all, Place.allCases)
        func `An event loop reaches its targets`(program: EventLoopProgram, place: Place) async throws {
            try await Targets.shared.echo()
            try await Targets.shared.banner()
            let targets = Way.allCases.flatMap { way in
                [Targets.echoPort, Targets.bannerPort].map { EventLoopProgram.Target(host: way.host, port: $0) }
            }
            let answers = targets.map { ($0.port == Targets.bannerPort ? "220 ready\r\n" : "") + "\($0.host)\n" }
            try await place.withProxy { _, url in
                let run = try await program.run(targets, proxy: url)
                #expect(run.status == 0 && run.output == answers.joined(), "\(run)")
            }
        }
    }
}
