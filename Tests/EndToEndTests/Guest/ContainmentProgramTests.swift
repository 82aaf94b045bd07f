import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Programs that use protocols that no proxy relays: they report the error and end, or do without. `Client.run`
    /// checks that they send nothing direct.
    @Suite struct ContainmentPrograms {
        /// A program, and its message when its own task is denied.
        struct Denied: CustomTestStringConvertible, Sendable {
            var name: String
            var command: [String]
            var says: String
            var testDescription: String { name }
        }

        static let denied = [
            Denied(
                name: "ping", command: ["ping", "-c1", "-W1", "203.0.113.10"],
                says: "socket: Operation not permitted"),
            Denied(name: "ping by name", command: ["ping", "-c1", "-W1", "web.test"], says: "Operation not permitted"),
            Denied(
                name: "ping, IPv6", command: ["ping", "-6", "-c1", "-W1", "2001:db8::10"],
                says: "socket: Operation not permitted"),
            Denied(
                name: "traceroute, ICMP", command: ["traceroute", "-In", "-m2", "-q1", "-w1", "203.0.113.10"],
                says: "Operation not permitted"),
            Denied(
                name: "traceroute, TCP", command: ["traceroute", "-Tn", "-m2", "-q1", "-w1", "203.0.113.10"],
                says: "Operation not permitted"),
            Denied(
                name: "nmap, SYN", command: ["nmap", "-sS", "-Pn", "-n", "-p80", Machine.proxyIPv4],
                says: "Failed to open device"),
            Denied(
                name: "python3, raw",
                command: ["/usr/bin/python3", "-c", "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"],
                says: "PermissionError: [Errno 1] Operation not permitted"),
        ]

        @Test(arguments: denied)
        func `A program that needs other protocols says that it may not`(program: Denied) async throws {
            try Machine.needsRoot("these need root even without the library")
            try await withProxy { proxy, url in
                let run = try await Client.run(program.command, proxy: url)
                #expect(run.status != 0 && (run.output + run.error).contains(program.says), "\(run)")
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `traceroute by UDP learns nothing of the way, and goes by the relay`() async throws {
            try await withProxy { _, url in
                let run = try await Client.run(
                    ["traceroute", "-n", "-m2", "-q1", "-w1", "203.0.113.10"], proxy: url, strays: 2)
                #expect(run.output.matches(of: /\n \d  (.*)/).map { $0.1 } == ["*", "*"], "\(run)")
            }
        }

        /// traceroute has a socket for each hop, and cannot connect those that it makes after the proxy's answer.
        @Test func `Nor does it by a proxy that carries no datagrams`() async throws {
            let script = Script.with { $0.commands = [.connect] }
            try await withProxy(script) { _, url in
                let run = try await Client.run(["traceroute", "-n", "-m2", "-q1", "-w1", "203.0.113.10"], proxy: url)
                let hops = run.output.matches(of: /\n \d  (.*)/).map { $0.1 }
                let ends = run.error.contains("connect: Network is unreachable")
                #expect(ends ? hops.allSatisfy { $0 == "*" } : hops == ["*", "*"], "\(run)")
            }
        }

        @Test func `nmap scans by connections where it may have no raw socket`() async throws {
            try await Targets.shared.echo()
            try await withProxy { proxy, url in
                let run = try await Client.run(
                    ["nmap", "-sT", "-Pn", "-n", "-p", "\(Targets.closedPort),\(Targets.echoPort)", "203.0.113.10"],
                    proxy: url)
                #expect(run.output.contains(/7007\/tcp +open/) && run.output.contains(/9\/tcp +closed/), "\(run)")
                #expect(!proxy.requests.isEmpty)
            }
        }

        @Test func `A program that wants MPTCP goes on with TCP`() async throws {
            try await Targets.shared.echo()
            let program = """
                import socket
                for protocol in (262, 0):
                    try:
                        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
                        break
                    except OSError as error:
                        print(error.strerror)
                connection.connect(("203.0.113.10", \(Targets.echoPort)))
                connection.sendall(b"hello")
                print(connection.recv(5).decode())
                """
            try await withProxy { proxy, url in
                let run = try await Client.run(["/usr/bin/python3", "-c", program], proxy: url)
                #expect(run.output == "Protocol not supported\nhello\n", "\(run)")
                #expect(proxy.requests == ["CONNECT 203.0.113.10:\(Targets.echoPort)"])
            }
        }

        @Test func `A program that insists on MPTCP goes through the proxy with it`() async throws {
            try await Targets.shared.echo()
            let program = """
                import socket
                connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
                connection.connect(("203.0.113.10", \(Targets.echoPort)))
                connection.sendall(b"hello")
                print(connection.recv(5).decode(), connection.getpeername()[0])
                """
            try await withProxy { proxy, _ in
                let run = try await Client.run(
                    ["/usr/bin/python3", "-c", program],
                    configuration: "other_protocols direct\n[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)\n")
                #expect(run.output == "hello 203.0.113.10\n", "\(run)")
                #expect(proxy.requests == ["CONNECT 203.0.113.10:\(Targets.echoPort)"])
            }
        }

        @Test(arguments: ["", "udp block\n"])
        func `A raw socket is direct where it may be`(lines: String) async throws {
            try Machine.needsRoot("a raw socket needs root even without the library")
            let program = """
                import socket, struct, sys
                raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
                request = struct.pack("!BBHHH", 8, 0, 0, 7, 1)
                checksum = 0xffff - sum(struct.unpack("!4H", request))
                request = struct.pack("!BBHHH", 8, 0, checksum, 7, 1)
                try:
                    if sys.argv[2] == "connected":
                        raw.connect((sys.argv[1], 0))
                        raw.send(request)
                    else:
                        raw.sendto(request, (sys.argv[1], 0))
                    print(raw.recvfrom(100)[1][0])
                except OSError as error:
                    print(error.strerror)
                """
            for (way, aim, says) in [
                ("connected", Machine.proxyIPv4, Machine.proxyIPv4), ("named", Machine.proxyIPv4, Machine.proxyIPv4),
                // A reserved address leads nowhere.
                ("connected", "web.test", "Network is unreachable"), ("named", "web.test", "Network is unreachable"),
            ] {
                let log = try Machine.temporaryDirectory("log").appending(path: "lines").path
                let run = try await Client.run(
                    ["/usr/bin/python3", "-c", program, aim, way],
                    configuration: "other_protocols direct\n\(lines)[ProxyList]\nsocks5 \(Machine.proxyIPv4) 1\n",
                    environment: ["SOCKSIFY_LOG": "debug:\(log)"])
                #expect(run.output == "\(says)\n", "\(run)")
                let reason =
                    ": ip \(aim):0 goes direct, because no proxy supports its protocol, and other_protocols is direct\n"
                let logged = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
                #expect(logged.hasSuffix(reason) == (aim == says), "\(logged)")
            }
        }

        // MARK: Servers

        static let servers: [(name: String, command: [String])] = [
            (
                "python3",
                [
                    "bash", "-c",
                    """
                    exec 3< <(exec /usr/bin/python3 -u -m http.server 0 2>/dev/null)
                    read -r line <&3
                    port=${line#* port } && curl -sS -o /dev/null -w '%{http_code}' "http://127.0.0.1:${port%% *}/"
                    kill $!
                    """,
                ]
            ),
            (
                "node",
                [
                    "node", "-e",
                    """
                    const http = require("http");
                    const server = http.createServer((request, response) => response.end("here"));
                    server.listen(0, () => http.get({host: "127.0.0.1", port: server.address().port}, response => {
                        process.stdout.write(String(response.statusCode));
                        process.exit();
                    }));
                    """,
                ]
            ),
        ]

        @Test(arguments: servers)
        func `A server is reached from its machine`(server: (name: String, command: [String])) async throws {
            try await withProxy { proxy, url in
                let run = try await Client.run(server.command, proxy: url)
                #expect(run.output == "200" && run.error.isEmpty, "\(run)")
                #expect(proxy.sessions.isEmpty)
            }
        }

        @Test func `Without a usable configuration a server for others does not start`() async throws {
            let run = try await Client.run(
                ["/usr/bin/python3", "-m", "http.server", "0"], proxy: "socks5://10.99.0.1:99999")
            #expect(run.status == 1 && run.error.contains("PermissionError: [Errno 13]"), "\(run)")
        }
    }
}
