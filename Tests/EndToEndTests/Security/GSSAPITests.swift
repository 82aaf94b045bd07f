import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Proxies that are authenticated with by GSSAPI (RFC 1961), with tickets of Kerberos.
    @Suite struct GSSAPITests {
        static let levels = ["none", "integrity", "confidentiality"]

        private static func url(_ port: Int, _ parameters: String) -> String {
            "socks5://proxy.test:\(port)?\(parameters)"
        }

        /// Kerberos' own datagrams go to the KDC.
        private func run(
            _ command: [String], _ port: Int, _ parameters: String, _ user: [String: String], limit: Int = 60,
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws -> Run {
            try await Client.run(
                command, proxy: Self.url(port, parameters), environment: user, limit: limit, carriesDatagrams: true,
                sourceLocation: sourceLocation)
        }

        private func program(_ name: String) -> [String] { ["python3", Program.source("Kerberos/\(name)")] }

        // MARK: Streams

        @Test(arguments: levels, ["", "&nec"]) func `A connection is made, and its bytes pass`(
            level: String, form: String
        ) async throws {
            try await Targets.shared.http()
            let run = try await run(
                ["curl", "-sS", "http://203.0.113.10:\(Targets.httpPort)/x"], KerberosRealm.shared.proxy(),
                "gssapi=\(level)\(form)", KerberosRealm.shared.user())
            #expect(run.output == "GET /x host 203.0.113.10:8080\n", "\(run)")
            #expect(run.error.isEmpty, "\(run)")
        }

        @Test(arguments: levels) func `Every call that reads or writes does what it does without encapsulation`(
            level: String
        ) async throws {
            try await Targets.shared.echo()
            let file = try Machine.temporaryDirectory().appending(path: "file").path
            let run = try await run(
                program("streams.py") + ["203.0.113.10", "\(Targets.echoPort)", file]
                    + (level == "none" ? ["plain"] : []),
                KerberosRealm.shared.proxy(), "gssapi=\(level)", KerberosRealm.shared.user())
            #expect(run.status == 0 && run.error.isEmpty, "\(run)")
            let lines = run.output.split(separator: "\n")
            #expect(lines.count == (level == "none" ? 24 : 35), "\(run)")
            #expect(lines.allSatisfy { $0.hasSuffix(" yes") }, "\(run)")
        }

        @Test(arguments: ["most=1", "most=1000", "slow", "empty", "split-reply", "sealed-level"])
        func `Messages of any kind are understood`(kind: String) async throws {
            try await Targets.shared.http()
            let run = try await run(
                ["curl", "-sS", "http://203.0.113.10:\(Targets.httpPort)/x"], KerberosRealm.shared.proxy(kind),
                "gssapi=integrity", KerberosRealm.shared.user())
            #expect(run.output == "GET /x host 203.0.113.10:8080\n" && run.error.isEmpty, "\(run)")
        }

        @Test(arguments: ["early-data", "in-reply"], ["integrity", "confidentiality"])
        func `What comes with the reply is the program's`(kind: String, level: String) async throws {
            try await Targets.shared.banner()
            let read = """
                import select, socket
                stream = socket.create_connection(("203.0.113.10", \(Targets.bannerPort)))
                print(len(select.select([stream], [], [])[0]), stream.recv(100))
                """
            let run = try await run(
                ["python3", "-c", read], KerberosRealm.shared.proxy(kind), "gssapi=\(level)",
                KerberosRealm.shared.user())
            #expect(run.output == "1 b'220 ready\\r\\n'\n" && run.error.isEmpty, "\(run)")
        }

        @Test(arguments: levels) func `An event loop has two hundred connections at once`(level: String) async throws {
            try await Targets.shared.echo()
            let run = try await run(
                program("loop.py") + ["203.0.113.10", "\(Targets.echoPort)", "200"], KerberosRealm.shared.proxy(),
                "gssapi=\(level)", KerberosRealm.shared.user())
            #expect(run.output == "200 of 200\n" && run.error.isEmpty, "\(run)")
        }

        /// apt puts itself under a filter of system calls, where Kerberos cannot be asked.
        @Test(arguments: Program.all.filter { $0.name != "apt" })
        func `A program does what it does without encapsulation`(program: Program) async throws {
            let prepared = try await program.prepare()
            let run = try await run(
                program.command([.ipv4, .ipv4], prepared), KerberosRealm.shared.proxy(), "gssapi=confidentiality",
                KerberosRealm.shared.user())
            #expect(run.status == 0 && run.output == program.output([.ipv4, .ipv4]), "\(run)")
        }

        @Test(arguments: ["", "-O2 -D_FORTIFY_SOURCE=2"]) func `libc's streams go through the encapsulation`(
            options: String
        ) async throws {
            try await Targets.shared.echo()
            let program = try Machine.temporaryDirectory().appending(path: "stdio").path
            let made = try await Client.start(
                ["sh", "-c", "cc -D_GNU_SOURCE \(options) -o \"$1\" \"$2\"", "sh", program]
                    + [Program.source("Kerberos/stdio.c")], limit: 60)
            try #require(made.status == 0, "\(made)")
            for level in Self.levels {
                let run = try await run(
                    [program, "203.0.113.10", "\(Targets.echoPort)"], KerberosRealm.shared.proxy(), "gssapi=\(level)",
                    KerberosRealm.shared.user())
                #expect(run.status == 0 && run.output == "line 0\nline 1\nline 2\nby dprintf 4\n", "\(run)")
            }
        }

        @Test func `No other process gets the stream`() async throws {
            try await Targets.shared.echo()
            let script = """
                import os, socket, subprocess, sys
                stream = socket.create_connection(("203.0.113.10", \(Targets.echoPort)))
                left, right = socket.socketpair()
                go, ready = os.pipe()
                if os.fork() == 0:
                    try:
                        socket.send_fds(right, [b"x"], [stream.fileno()])
                        print("sent")
                    except PermissionError:
                        print("not sent", flush=True)
                    os._exit(0)
                os.wait()
                use = f"import os; os.write({stream.fileno()}, b'in clear')"
                os.set_inheritable(stream.fileno(), True)
                started = subprocess.run([sys.executable, "-c", use], close_fds=False, stderr=subprocess.PIPE)
                print(b"ConnectionAbortedError" in started.stderr)
                # As by posix_spawn(3), which duplicates by itself.
                child = os.posix_spawn("/bin/echo", ["echo", "in clear"], os.environ,
                                       file_actions=[(os.POSIX_SPAWN_DUP2, stream.fileno(), 1)])
                print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)
                """
            let run = try await run(
                ["python3", "-c", script], KerberosRealm.shared.proxy(), "gssapi=integrity", KerberosRealm.shared.user()
            )
            #expect(run.output == "not sent\nTrue\nTrue\n", "\(run)")
        }

        @Test(arguments: ["integrity", "confidentiality"])
        func `The program that takes a program's place goes on with its streams`(level: String) async throws {
            try await Targets.shared.echo()
            let second = """
                import os, socket, sys, threading
                stream = socket.socket(fileno=int(sys.argv[1]))
                print(stream.recv(100))
                data, got = os.urandom(200000), b""
                sender = threading.Thread(target=stream.sendall, args=(data,))
                sender.start()
                while len(got) < len(data): got += stream.recv(65536)
                print(got == data)
                print(sorted(os.listdir("/proc/self/fd")) == ["0", "1", "2", sys.argv[1], str(int(sys.argv[1]) + 1)])
                """
            let first = """
                import os, select, socket, sys
                stream = socket.create_connection(("203.0.113.10", \(Targets.echoPort)))
                os.set_inheritable(stream.fileno(), True)
                stream.sendall(b"0123456789")
                while len(stream.recv(10, socket.MSG_PEEK)) < 10: pass
                print(stream.recv(4), flush=True)
                try:
                    os.execv("/nonexistent", ["x"])
                except FileNotFoundError:
                    print("not found", flush=True)
                os.execv(sys.executable, [sys.executable, "-c", sys.argv[1], str(stream.fileno())])
                """
            let run = try await run(
                ["python3", "-c", first, second], KerberosRealm.shared.proxy(), "gssapi=\(level)",
                KerberosRealm.shared.user())
            #expect(run.output == "b'0123'\nnot found\nb'456789'\nTrue\nTrue\n" && run.error.isEmpty, "\(run)")
        }

        // MARK: Names and datagrams

        @Test(arguments: ["integrity", "confidentiality"]) func `Datagrams are refused where they cannot be protected`(
            level: String
        ) async throws {
            let script = """
                import socket
                datagrams = socket.socket(type=socket.SOCK_DGRAM)
                try:
                    print(datagrams.sendto(b"x", ("203.0.113.10", 7007)))
                except OSError as error:
                    print(error.errno)
                """
            let run = try await run(
                ["python3", "-c", script], KerberosRealm.shared.proxy(), "gssapi=\(level)", KerberosRealm.shared.user())
            #expect(run.output == "101\n", "\(run)")
        }

        // MARK: The command

        /// The KDC is gone afterwards: what it says is that the ticket is there.
        @Test func `The command has the ticket fetched before the program starts`() async throws {
            let port = try await KerberosRealm.shared.proxy()
            let user = try await KerberosRealm.shared.user()
            let run = try await Client.run(
                [Machine.tool, "-x", Self.url(port, "gssapi=integrity"), "klist"], environment: user, mode: .bare,
                carriesDatagrams: true)
            #expect(run.status == 0 && run.output.contains("rcmd/proxy.test@TEST"), "\(run)")
        }

        @Test(arguments: levels) func `A command goes through a proxy that is given by name`(level: String) async throws
        {
            try await Targets.shared.http()
            let port = try await KerberosRealm.shared.proxy()
            let run = try await Client.run(
                [
                    Machine.tool, "-x", Self.url(port, "gssapi=\(level)"), "curl", "-sS",
                    "http://203.0.113.10:\(Targets.httpPort)/x",
                ], environment: KerberosRealm.shared.user(), mode: .bare, carriesDatagrams: true)
            #expect(run.output == "GET /x host 203.0.113.10:8080\n" && run.error.isEmpty, "\(run)")
        }

        @Test func `The command says why there is no ticket, and starts the program`() async throws {
            let port = try await KerberosRealm.shared.proxy()
            let run = try await Client.run(
                [Machine.tool, "-x", Self.url(port, "gssapi=integrity"), "echo", "started"],
                environment: KerberosRealm.shared.user(hasTicket: false), mode: .bare, carriesDatagrams: true)
            #expect(run.status == 0 && run.output == "started\n", "\(run)")
            #expect(
                run.error.hasPrefix(
                    "socksify: proxy proxy.test:\(port): no security context: No Kerberos credentials available"),
                "\(run)")
        }

        @Test(arguments: levels) func `--check authenticates as connections do`(level: String) async throws {
            try await Targets.shared.echo()
            let port = try await KerberosRealm.shared.proxy()
            let run = try await Client.run(
                [
                    Machine.tool, "-x", Self.url(port, "gssapi=\(level)"), "--check",
                    "203.0.113.10:\(Targets.echoPort)",
                ], environment: KerberosRealm.shared.user(), mode: .bare, carriesDatagrams: true)
            #expect(run.status == 0 && run.output.contains("gssapi \(level), "), "\(run)")
        }

        // MARK: Tickets

        @Test func `An event loop does not wait for a KDC`() async throws {
            let run = try await run(
                program("loop.py") + ["203.0.113.10", "\(Targets.echoPort)", "0"], KerberosRealm.shared.proxy(),
                "gssapi=integrity", KerberosRealm.shared.user(isSilent: true))
            #expect(run.output == "pending\n", "\(run)")
        }

        @Test func `A blocking connect waits for a KDC within its limits`() async throws {
            let connect = """
                import socket, struct
                stream = socket.socket()
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 100000))
                try:
                    stream.connect(("203.0.113.10", \(Targets.echoPort)))
                except OSError as error:
                    print(error.errno)
                """
            let run = try await run(
                ["python3", "-c", connect], KerberosRealm.shared.proxy(), "gssapi=integrity",
                KerberosRealm.shared.user(isSilent: true))
            #expect(run.output == "115\n", "\(run)")
        }

        private func expectFailure(
            _ reason: String, proxy: String = "", _ parameters: String = "gssapi=integrity", of user: [String: String],
            sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let port = try await KerberosRealm.shared.proxy(proxy)
            let run = try await run(
                ["curl", "-sS", "http://203.0.113.10:\(Targets.httpPort)/x"], port, parameters, user,
                sourceLocation: sourceLocation)
            #expect(run.status == 7 && run.output.isEmpty, "\(run)", sourceLocation: sourceLocation)
            let line = "socksify: tcp 203.0.113.10:8080: proxy proxy.test:\(port) \(reason)"
            #expect(
                run.error.split(separator: "\n").first.map { $0.hasPrefix(line) } == true, "\(run)\n\(line)",
                sourceLocation: sourceLocation)
        }

        @Test func `Without a ticket nothing is connected to`() async throws {
            try await expectFailure(
                "no security context: No Kerberos credentials available",
                of: KerberosRealm.shared.user(hasTicket: false))
        }

        @Test func `A service that the KDC does not know is told`() async throws {
            try await expectFailure(
                "no security context: Server nobody/proxy.test@TEST not found in Kerberos database",
                "gssapi=integrity&service=nobody", of: KerberosRealm.shared.user())
        }

        @Test func `A service that the proxy has no key of is told`() async throws {
            try await expectFailure(
                "closed the connection in place of a token: it has no key for the service, or refuses the user",
                "gssapi=integrity&service=lost", of: KerberosRealm.shared.user())
        }

        @Test func `A proxy without GSSAPI is told`() async throws {
            let proxy = try await TestProxy.start(host: Machine.proxyIPv4)
            let run = try await run(
                ["curl", "-sS", "http://203.0.113.10:\(Targets.httpPort)/x"], proxy.port, "gssapi=integrity",
                KerberosRealm.shared.user())
            await proxy.stop()
            #expect(run.status == 7, "\(run)")
            #expect(run.error.contains("requires an authentication method that is not configured"), "\(run)")
        }

        // MARK: Proxies that do wrong

        @Test(arguments: [
            ("abort-token", "refused the security context"), ("abort-level", "refused the security context"),
            ("close-token", "closed the connection in place of a token"),
            ("close-level", "closed the connection in place of a level of protection"),
            ("type-token", "sent no message of RFC 1961 (it starts with bytes 1 3)"),
            ("version-token", "sent no message of RFC 1961 (it starts with bytes 2 1)"),
            ("nonsense-token", "no security context: "),
            ("level=0", "wants protection none, which is not the configured one"),
            ("level=2", "wants protection confidentiality, which is not the configured one"),
            ("level=3", "wants protection by message, which is not the configured one"),
            ("bare-level", "a message was changed, repeated or left out on its way"),
            ("bare-reply", "sent no message of RFC 1961 (it starts with bytes 5 0)"),
        ]) func `A handshake that goes wrong says why`(wrong: String, reason: String) async throws {
            try await Targets.shared.http()
            try await expectFailure(reason, proxy: wrong, of: KerberosRealm.shared.user())
        }

        @Test func `A proxy that signs what it should encrypt is not believed`() async throws {
            try await Targets.shared.http()
            try await expectFailure(
                "a message was changed, repeated or left out on its way", proxy: "signed", "gssapi=confidentiality",
                of: KerberosRealm.shared.user())
        }

        @Test(
            arguments: ["flip=1", "flip=2", "twice=1", "swap=1", "lose=1", "cut=2"], ["integrity", "confidentiality"])
        func `A message that is not as it was sent ends the connection`(wrong: String, level: String) async throws {
            try await Targets.shared.echo()
            let exchange = """
                import socket
                stream = socket.create_connection(("203.0.113.10", \(Targets.echoPort)))
                got = b""
                try:
                    for turn in range(10):
                        stream.sendall(b"x" * 100)
                        want = len(got) + 100
                        while len(got) < want:
                            some = stream.recv(1000)
                            if not some: break
                            got += some
                    print("unharmed", got == b"x" * 1000)
                except ConnectionResetError:
                    print("reset", got == b"x" * len(got))
                try:
                    print(stream.recv(1))
                except ConnectionResetError:
                    print("still")
                """
            let run = try await run(
                ["python3", "-c", exchange], KerberosRealm.shared.proxy(wrong), "gssapi=\(level)",
                KerberosRealm.shared.user())
            #expect(run.output == "reset True\nstill\n", "\(run)")
        }

        // MARK: Chains

        @Test(arguments: [
            ["integrity", "confidentiality"], ["confidentiality", "integrity", "integrity"], ["none", "integrity"],
        ]) func `Each hop of a chain has a context of its own`(levels: [String]) async throws {
            try await Targets.shared.echo()
            var urls: [String] = []
            for level in levels {
                urls.append(Self.url(try await KerberosRealm.shared.proxy(), "gssapi=\(level)"))
            }
            let file = try Machine.temporaryDirectory().appending(path: "file").path
            let run = try await Client.run(
                program("streams.py") + ["203.0.113.10", "\(Targets.echoPort)", file],
                proxy: urls.joined(separator: ","), environment: KerberosRealm.shared.user(), carriesDatagrams: true)
            #expect(run.status == 0 && run.error.isEmpty && !run.output.contains(" NO\n"), "\(run)")
        }
    }
}
