import Foundation
import TestProxy
import Testing

/// A way in which a target fails.
enum TargetFailure: String, CaseIterable, CustomTestStringConvertible {
    case refused, hostUnreachable, networkUnreachable, timedOut

    var ipv4: String {
        switch self {
        case .refused: "203.0.113.10"
        case .hostUnreachable: "203.0.113.66"
        case .networkUnreachable: "192.0.2.1"
        case .timedOut: "203.0.113.99"
        }
    }
    var ipv6: String {
        switch self {
        case .refused: "2001:db8::10"
        case .hostUnreachable: "2001:db8::66"
        case .networkUnreachable: "2001:db8:1::1"
        case .timedOut: "2001:db8::99"
        }
    }
    /// The errno of the failure.
    var message: String {
        switch self {
        case .refused: "Connection refused"
        case .hostUnreachable: "No route to host"
        case .networkUnreachable: "Network is unreachable"
        case .timedOut: "Connection timed out"
        }
    }
    var testDescription: String { rawValue }
}

extension EndToEnd {
    /// What programs report when their target fails: the same as without a proxy, when the target fails in the same
    /// way.
    @Suite struct ProgramErrors {
        /// A program, and the command that connects it to the port of a host at which nothing listens.
        struct Failing: CustomTestStringConvertible, Sendable {
            var name: String
            var command: @Sendable (_ host: String) -> [String]
            var testDescription: String { name }
        }

        private static func url(_ host: String) -> String {
            "http://\(host.contains(":") ? "[\(host)]" : host):\(Targets.closedPort)/"
        }

        static let programs: [Failing] = [
            Failing(name: "curl") { ["curl", "-gsS", url($0)] },
            Failing(name: "wget") { ["wget", "-nv", "-t", "1", "-O", "-", url($0)] },
            Failing(name: "git") { ["git", "clone", "-q", url($0) + "repository.git"] },
            Failing(name: "ssh") {
                ["ssh", "-F", "none", "-o", "BatchMode=yes", "-p", "\(Targets.closedPort)", "root@\($0)"]
            },
            Failing(name: "nc") { ["nc.openbsd", "-v", "-n", $0, "\(Targets.closedPort)"] },
            Failing(name: "python3") {
                let call = "import socket, sys; socket.create_connection((sys.argv[1], \(Targets.closedPort)))"
                return ["/usr/bin/python3", "-c", call, $0]
            },
            // Its message says whether the error came from connect(2) or from SO_ERROR, which may differ.
            Failing(name: "python3 asyncio") {
                let call = """
                    import asyncio, sys
                    try: asyncio.run(asyncio.open_connection(sys.argv[1], \(Targets.closedPort)))
                    except OSError as error: print(type(error).__name__, error.errno)
                    """
                return ["/usr/bin/python3", "-c", call, $0]
            },
            Failing(name: "node") { ["node", Program.source("client.mjs"), url($0)] },
            Failing(name: "perl") {
                ["perl", Program.source("client.pl"), $0, "\(Targets.closedPort)"]
            },
            Failing(name: "redis-cli") { ["redis-cli", "-h", $0, "-p", "\(Targets.closedPort)", "ping"] },
        ]

        /// The output of a run without its durations, and without the words with which redis-cli reports whether
        /// connect(2) failed at once or later.
        private func said(_ run: Run) -> String {
            "status \(run.status)\n\(run.output)\(run.error)"
                .replacing(/after \d+ ms/, with: "after some ms")
                .replacing("Can't create socket: ", with: "")
                .replacing(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, with: "now")
        }

        @Test(arguments: programs, [TargetFailure.refused, .hostUnreachable, .networkUnreachable])
        func `A program says of a failing target what it says without a proxy`(
            program: Failing, failure: TargetFailure
        ) async throws {
            try await withProxy { proxy, url in
                for host in [failure.ipv4, failure.ipv6] {
                    let native = try await Client.runNatively(program.command(host))
                    let run = try await Client.run(program.command(host), proxy: url)
                    #expect(native.status != 0 || !native.output.isEmpty)
                    #expect(said(run) == said(native))
                    #expect(!proxy.sessions.isEmpty)
                }
            }
        }

        @Test(arguments: programs)
        func `A program says of a target that does not answer that it timed out`(program: Failing) async throws {
            try await withProxy(.with { $0.connectTimeout = .milliseconds(100) }) { proxy, url in
                let run = try await Client.run(program.command(TargetFailure.timedOut.ipv4), proxy: url)
                let text = run.output + run.error
                // curl reports every failure but its own timeouts in the same words; node prints the name of the errno.
                let message =
                    switch program.name {
                    case "curl", "git": "Couldn't connect to server"
                    case "node": "ETIMEDOUT"
                    case "python3 asyncio": "TimeoutError 110"
                    default: TargetFailure.timedOut.message
                    }
                #expect(text.contains(message), "\(run)")
            }
        }

        @Test(arguments: TargetFailure.allCases)
        func `Java says of a failing target what it says without a proxy`(failure: TargetFailure) async throws {
            let directory = try await JavaClient.shared.directory()
            let command = ["java", "-cp", directory, "Client", "http://\(failure.ipv4):\(Targets.closedPort)/"]
            let native = try await Client.runNatively(command)
            try await withProxy(.with { $0.connectTimeout = .milliseconds(100) }) { _, url in
                let run = try await Client.run(command, proxy: url)
                #expect(said(run) == said(native))
            }
        }

        @Test(arguments: ProxyKind.allCases)
        func `Servers of every maker tell a refusal, which the program sees`(kind: ProxyKind) async throws {
            let url = try await Proxies.shared.url(kind)
            for way in kind.ways {
                // The server of ssh closes the connection instead.
                let lines = try await Probe.run("connect", way.host, "\(Targets.closedPort)", proxy: url)
                #expect(lines == ["ECONNREFUSED", "left open: 0"])
            }
        }
    }
}
