import Foundation
import TestProxy
import Testing

/// An existing program, its task, and the output that it must have.
struct Program: CustomTestStringConvertible, Sendable {
    var name: String
    /// Starts the servers that the program needs, and returns further arguments for its command line.
    var prepare: @Sendable () async throws -> [String]
    /// The command that reaches all the hosts in turn, given the result of `prepare`.
    var command: @Sendable (_ hosts: [Way], _ prepared: [String]) -> [String]
    var output: @Sendable (_ hosts: [Way]) -> String
    var testDescription: String { name }

    private static let http: @Sendable () async throws -> [String] = {
        try await Targets.shared.http()
        return []
    }
    private static let echo: @Sendable () async throws -> [String] = {
        try await Targets.shared.echo()
        return []
    }
    @Sendable private static func urls(_ ways: [Way], _ path: String) -> [String] {
        ways.map { "http://\($0.urlHost):\(Targets.httpPort)/\(path)" }
    }
    /// The web server's answers to `times` requests for each way.
    @Sendable private static func answers(_ ways: [Way], _ path: String, times: Int = 1) -> String {
        ways.map {
            String(repeating: "GET /\(path) host \($0.urlHost):\(Targets.httpPort)\n", count: times)
        }.joined()
    }
    /// The path of a source file in Programs/.
    static func source(_ name: String) -> String {
        Machine.package.appending(path: "Tests/EndToEndTests/Programs/\(name)").path
    }
    /// A shell command that runs once for each host, `$host`.
    @Sendable private static func each(_ ways: [Way], _ command: String, _ arguments: [String] = []) -> [String] {
        ["bash", "-c", "for host in \(ways.map(\.host).joined(separator: " ")); do \(command) || exit; done", "sh"]
            + arguments
    }

    static let all: [Program] = [
        Program(
            name: "curl", prepare: http, command: { ways, _ in ["curl", "-gsS"] + urls(ways, "curl") },
            output: { answers($0, "curl") }),
        Program(
            name: "wget", prepare: http, command: { ways, _ in ["wget", "-nv", "-O", "-"] + urls(ways, "wget") },
            output: { answers($0, "wget") }),
        // apt runs under its own seccomp filter.
        Program(
            name: "apt", prepare: http,
            command: { ways, _ in
                let options = "-q -o APT::Sandbox::Seccomp=true -o APT::Sandbox::User=root"
                let load = "/usr/lib/apt/apt-helper \(options) download-file $url page >/dev/null; cat page; rm page"
                let list = urls(ways, "apt").map { "'\($0)'" }.joined(separator: " ")
                return ["sh", "-ec", "for url in \(list); do \(load); done"]
            },
            output: { answers($0, "apt") }),
        Program(
            name: "git", prepare: http,
            command: { ways, _ in
                let clone = "git clone -q $url copy; git -C copy log --format=%s; cat copy/file; rm -rf copy"
                let list = urls(ways, "repository.git").map { "'\($0)'" }.joined(separator: " ")
                return ["sh", "-ec", "for url in \(list); do \(clone); done"]
            },
            output: { String(repeating: "A commit to be cloned\ncontent\n", count: $0.count) }),
        Program(
            name: "ssh", prepare: { try await Targets.shared.sshd().options },
            command: { each($0, "ssh \"$@\" root@$host echo hello from $host", $1) },
            output: { $0.map { "hello from \($0.host)\n" }.joined() }),
        Program(
            name: "nc", prepare: echo,
            // The input stays open until the answer has come: microsocks closes both directions when one ends.
            command: { ways, _ in
                each(
                    ways,
                    """
                    coproc nc.openbsd $host \(Targets.echoPort) && echo $host >&${COPROC[1]} \
                        && read -r line <&${COPROC[0]} && echo $line && kill $COPROC_PID && { wait $COPROC_PID; true; }
                    """)
            },
            output: { $0.map { "\($0.host)\n" }.joined() }),
        Program(
            name: "python3", prepare: http,
            command: { ways, _ in ["/usr/bin/python3", source("client.py")] + urls(ways, "python") },
            output: { answers($0, "python", times: 3) }),
        Program(
            name: "node", prepare: http,
            command: { ways, _ in ["node", source("client.mjs")] + urls(ways, "node") },
            output: { answers($0, "node", times: 2) }),
        Program(
            name: "java", prepare: { [try await JavaClient.shared.directory()] + (try await http()) },
            command: { ["java", "-Xshare:auto", "-cp", $1[0], "Client"] + urls($0, "java") },
            output: { answers($0, "java", times: 2) }),
        Program(
            name: "perl", prepare: echo,
            command: { ways, _ in
                ["perl", source("client.pl")] + ways.flatMap { [$0.host, "\(Targets.echoPort)"] }
            },
            output: { $0.map { "\($0.host)\n" }.joined() }),
        Program(
            name: "redis-cli",
            prepare: {
                try await Targets.shared.redis()
                return []
            },
            command: { ways, _ in each(ways, "redis-cli -h $host echo $host") },
            output: { $0.map { "\($0.host)\n" }.joined() }),
    ]
}

/// The Java program, compiled once.
actor JavaClient {
    static let shared = JavaClient()
    private var task: Task<String, any Error>?

    func directory() async throws -> String {
        if let task { return try await task.value }
        let task = Task {
            let directory = try Machine.temporaryDirectory("java").path
            let run = try await Client.start(
                ["javac", "-d", directory, Program.source("Client.java")], limit: 120)
            try #require(run.status == 0, "\(run)")
            return directory
        }
        self.task = task
        return try await task.value
    }
}

extension EndToEnd {
    /// Programs without support for proxies, through proxy servers of several projects.
    @Suite struct Programs {
        @Test(arguments: Program.all, ProxyKind.allCases)
        func `A program reaches its targets by name and by address`(
            program: Program, kind: ProxyKind
        ) async throws {
            let prepared = try await program.prepare()
            let url = try await Proxies.shared.url(kind)
            let run = try await Client.run(program.command(kind.ways, prepared), proxy: url)
            #expect(run.status == 0 && run.output == program.output(kind.ways), "\(run)")
        }

        @Test(arguments: Program.all)
        func `A name is asked for as a name, an address as an address`(program: Program) async throws {
            let prepared = try await program.prepare()
            try await withProxy { proxy, url in
                for way in Way.allCases {
                    let before = proxy.sessions.count
                    _ = try await Client.run(program.command([way], prepared), proxy: url)
                    let addresses = proxy.sessions.dropFirst(before).compactMap { $0.request?.address }
                    #expect(!addresses.isEmpty)
                    #expect(addresses.allSatisfy { $0 == Address(way.host) }, "\(addresses)")
                }
                #expect(proxy.sessions.allSatisfy { !$0.pipelined })
            }
        }
    }
}
