import Foundation
import TestProxy
import Testing

/// A program that sends datagrams, and checks and prints the answers of `DatagramTargets.echo`.
struct DatagramProgram: CustomTestStringConvertible, Sendable {
    var name: String
    /// The command for these hosts, to which the program sends in turn.
    var command: @Sendable (_ hosts: [String]) async throws -> [String]
    /// The line that the program prints for each socket, given the host.
    var output: @Sendable (_ host: String) -> String
    /// The number of sockets for each host, and the number of datagrams from each socket.
    var sockets: Int
    var datagrams: Int
    var testDescription: String { name }

    static let all = [
        exchanging("node", ["node", Program.source("Datagrams/exchange.mjs")], datagrams: 24),
        exchanging("asyncio", ["/usr/bin/python3", Program.source("Datagrams/exchange.py")], datagrams: 23),
        DatagramProgram(
            name: "java",
            command: { hosts in
                let classes = try await DatagramTargets.java.value
                return ["java", "-Xshare:auto", "-cp", classes, "Exchange", "\(DatagramTargets.echoPort)"] + hosts
            }, output: { "\($0) 23 20201\n" }, sockets: 3, datagrams: 23),
        DatagramProgram(
            name: "perl",
            command: { ["perl", Program.source("Datagrams/exchange.pl"), "\(DatagramTargets.echoPort)"] + $0 },
            output: { "\($0) 4 10201\n" }, sockets: 1, datagrams: 4),
        talking("nc", "nc.openbsd -u $host $port"),
        // socat needs brackets around an address with colons.
        talking("socat", "socat - \"UDP:$([[ $host == *:* ]] && echo \"[$host]\" || echo $host):$port\""),
    ]

    private static func exchanging(_ name: String, _ command: [String], datagrams: Int) -> DatagramProgram {
        DatagramProgram(
            name: name, command: { command + ["\(DatagramTargets.echoPort)"] + $0 },
            output: { "\($0) \(datagrams) 20201\n" }, sockets: 2, datagrams: datagrams)
    }

    /// A program that sends its input and prints the datagrams that it receives.
    private static func talking(_ name: String, _ command: String) -> DatagramProgram {
        let script = """
            port=$1; shift
            for host; do
                coproc \(command)
                echo "$host" >&${COPROC[1]} && read -r line <&${COPROC[0]} && echo "$line" || exit
                kill $COPROC_PID; wait $COPROC_PID
            done
            true
            """
        return DatagramProgram(
            name: name, command: { ["bash", "-c", script, "sh", "\(DatagramTargets.echoPort)"] + $0 },
            output: { "\($0)\n" }, sockets: 1, datagrams: 1)
    }
}

extension EndToEnd {
    /// Programs without support for proxies send datagrams through them.
    @Suite struct DatagramProgramTests {
        @Test(arguments: DatagramProgram.all, [ProxyKind.danted, .dantedWithUser, .testProxy])
        func `A program exchanges datagrams with its targets by name and by address`(
            program: DatagramProgram, kind: ProxyKind
        ) async throws {
            _ = try await DatagramTargets.echo.value
            let hosts = Way.allCases.map(\.host)
            let run = try await Client.run(
                program.command(hosts), proxy: Proxies.shared.url(kind), carriesDatagrams: true)
            #expect(
                run.status == 0
                    && run.output
                        == hosts.map { String(repeating: program.output($0), count: program.sockets) }.joined(),
                "\(run)")
        }

        @Test(arguments: DatagramProgram.all)
        func `Each socket has an association, and its datagrams go to a name as a name`(
            program: DatagramProgram
        ) async throws {
            _ = try await DatagramTargets.echo.value
            for way in Way.allCases {
                try await withProxy { proxy, url in
                    let run = try await Client.run(program.command([way.host]), proxy: url, carriesDatagrams: true)
                    #expect(run.status == 0, "\(run)")
                    let associations = try await proxy.sessions(ended: program.sockets).compactMap(\.association)
                    #expect(associations.count == program.sockets)
                    let target = Endpoint(Address(way.host), port: UInt16(DatagramTargets.echoPort))
                    for association in associations {
                        #expect(association.destinations == [target])
                        #expect(association.fromClient == program.datagrams)
                        #expect(association.toClient == program.datagrams)
                        #expect(association.malformed == 0 && association.clientPorts.count == 1)
                    }
                }
            }
        }

        // MARK: Protocols

        @Test(arguments: [ProxyKind.danted, .testProxy], ["web.test", "203.0.113.10"])
        func `QUIC brings a large file`(kind: ProxyKind, host: String) async throws {
            let server = try await DatagramTargets.quic.value
            let command = DatagramTargets.quicCommand(
                "fetch", [host, "\(DatagramTargets.quicPort)", server.certificate, "10000000"])
            let run = try await Client.run(command, proxy: Proxies.shared.url(kind), carriesDatagrams: true)
            #expect(
                run.output == "10000000 f23042171382c7c5fbdb39bd335bee5ae7332aec28187a62849da53e74de1ba1\n", "\(run)")
        }

        /// The amount fits the buffer of a socket, so a slow machine loses nothing.
        @Test(arguments: [ProxyKind.danted, .testProxy], [[], ["--reverse"]])
        func `iperf3 measures without a loss`(kind: ProxyKind, direction: [String]) async throws {
            _ = try await DatagramTargets.perf.value
            for host in ["web.test", "203.0.113.10"] {
                let run = try await Client.run(
                    ["iperf3", "-u", "-c", host, "-n", "60K", "-l", "1000", "-b", "10M", "--json"] + direction,
                    proxy: Proxies.shared.url(kind), carriesDatagrams: true)
                #expect(run.status == 0, "\(run)")
                let decoder = JSONDecoder()
                decoder.keyDecodingStrategy = .convertFromSnakeCase
                let sum = try decoder.decode(Measurement.self, from: Data(run.output.utf8)).end.sum
                #expect(sum.packets >= 60 && sum.lostPackets == 0, "\(run)")
            }
        }

        private struct Measurement: Decodable {
            struct End: Decodable {
                struct Sum: Decodable { var packets: Int, lostPackets: Int }
                var sum: Sum
            }
            var end: End
        }

        @Test(arguments: ["web.test", "203.0.113.10"])
        func `TFTP goes on with the port that the server answers from`(host: String) async throws {
            let files = try await DatagramTargets.files.value
            let directory = try Machine.temporaryDirectory("tftp")
            let run = try await Client.run(
                ["tftp", host, "-m", "binary", "-c", "get", files.name],
                proxy: Proxies.shared.url(.danted), directory: directory.path, carriesDatagrams: true)
            #expect(run.status == 0, "\(run)")
            #expect(FileManager.default.contents(atPath: "\(directory.path)/\(files.name)") == files.content)
        }

        @Test(arguments: [ProxyKind.danted, .testProxy], ["web.test", "203.0.113.10"])
        func `ntpdig learns the time`(kind: ProxyKind, host: String) async throws {
            _ = try await DatagramTargets.time.value
            let run = try await Client.run(
                ["ntpdig", "--json", host], proxy: Proxies.shared.url(kind), carriesDatagrams: true)
            #expect(run.status == 0 && run.output.contains("\"stratum\":1"), "\(run)")
        }

        /// chronyd's filter allows only the system calls that chronyd makes.
        @Test(arguments: [ProxyKind.danted, .testProxy], ["web.test", "203.0.113.10"])
        func `chronyd learns the time under its own filter`(kind: ProxyKind, host: String) async throws {
            _ = try await DatagramTargets.time.value
            let run = try await Client.run(
                [
                    "chronyd", "-n", "-Q", "-F", "1", "-t", "50", "-f", "/dev/null",
                    "server \(host) iburst maxsamples 1", "port 0", "cmdport 0",
                ], proxy: Proxies.shared.url(kind), carriesDatagrams: true)
            #expect(run.status == 0 && run.error.contains("Loaded seccomp filter"), "\(run)")
            #expect(run.error.contains("System clock wrong by"), "\(run)")
        }

        @Test(arguments: [ProxyKind.danted, .testProxy], ["web.test", "203.0.113.10"])
        func `logger sends its lines`(kind: ProxyKind, host: String) async throws {
            let sink = try await DatagramSink()
            // The input stays open until the server has the lines: when a client closes its control connection, the
            // proxy may end the relay before it has forwarded everything.
            let script = """
                { echo one; echo two; until [[ -e \(sink.file) ]]; do sleep 0.01; done; } |
                    logger --udp --server \(host) --port \(sink.port) --rfc3164 --tag test
                """
            let run = try await Client.run(
                ["bash", "-c", script], proxy: Proxies.shared.url(kind), carriesDatagrams: true)
            #expect(run.status == 0, "\(run)")
            #expect(sink.texts.first?.hasPrefix("<13>") == true && sink.texts.first?.hasSuffix(" test: one") == true)
        }

        // MARK: Without a relay

        /// A program that prints the error of a send.
        private static let refused = [
            ["/usr/bin/python3", Program.source("Datagrams/refused.py")],
            ["node", Program.source("Datagrams/refused.mjs")],
        ]

        @Test(arguments: refused, [ProxyKind.microsocks, .sshDynamic])
        func `A proxy without datagrams makes the network unreachable, and nothing leaves`(
            program: [String], kind: ProxyKind
        ) async throws {
            _ = try await DatagramTargets.echo.value
            for way in Way.allCases {
                let run = try await Client.run(
                    program + ["\(DatagramTargets.echoPort)", way.host], proxy: Proxies.shared.url(kind))
                #expect(run.output == "ENETUNREACH\n", "\(run)")
                #expect(run.error.wholeMatch(of: /socksify: udp: proxy [^\n]*\n/) != nil, "\(run)")
            }
        }

        @Test(arguments: refused)
        func `Datagrams that the configuration blocks are not sent`(program: [String]) async throws {
            try await withProxy { proxy, url in
                for way in Way.allCases {
                    let run = try await Client.run(
                        program + ["\(DatagramTargets.echoPort)", way.host],
                        configuration: configuration("udp block", urls: [url]))
                    #expect(run.output == "ENETUNREACH\n", "\(run)")
                }
                #expect(proxy.sessions.isEmpty)
            }
        }
    }
}
