import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Programs that the dynamic loader loads no library into, started by programs under the library.
    @Suite struct UnreachableProgramTests {
        private let proxyOfNobody = "socks5://10.99.0.1:1"

        /// The lines of such a program, which has no network.
        private static let withoutNetwork = [
            "inet EACCES, inet6 EACCES, packet EACCES", "io_uring ENOSYS", "no new privileges 1",
        ]

        /// Whether a line differs between a program with and a program without network.
        private static func isOfNetwork(_ line: String) -> Bool {
            ["inet ", "io_uring ", "no new privileges "].contains { line.hasPrefix($0) }
        }

        private func launch(
            _ name: String, _ program: String, _ arguments: [String] = ["facts", "first", "it's second"],
            configuration: String = "", before: [String] = [], mode: Client.Mode = .preloaded
        ) async throws -> Run {
            try await Client.run(
                before + [try await CallProbe.path(of: "launching"), name, program] + arguments,
                configuration: "\(configuration)\n[ProxyList]\nsocks5 10.99.0.1 1\n", mode: mode)
        }

        /// A copy of a probe in a folder whose file system honours permissions.
        private func copy(_ name: String, permissions: Int = 0o755) async throws -> String {
            let copy = try Machine.temporaryDirectory("program").appending(path: "unreached").path
            try FileManager.default.copyItem(atPath: try await CallProbe.path(of: name), toPath: copy)
            try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: copy)
            return copy
        }

        // MARK: Without network

        @Test(
            arguments: ["exec", "vfork", "spawn", "thread"], ["unreached-static", "unreached-noted", "unreached-built"])
        func `It has no network, and everything else as bare; who starts it stays as it is`(
            call: String, program: String
        ) async throws {
            let path = try await CallProbe.path(of: program)
            let run = try await launch(call, path)
            let native = try await launch(call, path, mode: .bare)
            #expect(run.error.isEmpty && run.status == native.status, "\(run)")
            #expect(run.lines.filter { !Self.isOfNetwork($0) } == native.lines.filter { !Self.isOfNetwork($0) })
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(run)")
            #expect(run.lines.suffix(2).first == "exited 7", "\(run)")
            #expect(run.lines.last == "here: inet 0, no new privileges 0, threads 1, SIGUSR2 free", "\(run)")
        }

        @Test(arguments: [
            "execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "fexecve", "execveat", "SYS_execve",
            "SYS_execveat", "posix_spawn", "posix_spawnp", "vfork", "system", "popen",
        ])
        func `It has no network, whichever call starts it`(call: String) async throws {
            let program = try await CallProbe.path(of: "unreached-static")
            let output = try await CallProbe.run(
                "starting", [call, program, "facts", "1", "2", "3"],
                environment: ["SOCKSIFY_PROXY": proxyOfNobody],
                ending: Ending(
                    status: nil, report: .absent(because: "the program that takes its place is no probe")))
            #expect(output.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(output)")
        }

        @Test func `It is looked for as execvp looks for it`() async throws {
            let run = try await launch("search", try await copy("unreached-static"), ["facts"])
            let native = try await launch("search", try await copy("unreached-static"), ["facts"], mode: .bare)
            #expect(run.lines.filter { !Self.isOfNetwork($0) } == native.lines.filter { !Self.isOfNetwork($0) })
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork + Self.withoutNetwork, "\(run)")
        }

        @Test func `Who fails to start it keeps the network`() async throws {
            let run = try await launch("failing", try await copy("unreached-static"))
            let native = try await launch("failing", try await copy("unreached-static"), mode: .bare)
            #expect(run.lines == native.lines)
            #expect(run.lines.last == "here: inet 0, no new privileges 0, threads 1, SIGUSR2 free", "\(run)")
        }

        @Test func `A script is what its interpreter is`() async throws {
            let program = try await copy("unreached-static")
            let inner = try Machine.file("#!\(program) facts\n", name: "inner", permissions: 0o755)
            let outer = try Machine.file("#! \(inner)\n", name: "outer", permissions: 0o755)
            let run = try await launch("exec", outer, configuration: "log info")
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(run)")
            #expect(run.error.contains("\(outer): its interpreter \(program) is statically linked"), "\(run)")
        }

        @Test func `Children of vfork leave no memory in their parent`() async throws {
            let run = try await launch("memory", try await CallProbe.path(of: "unreached-static"), ["nothing"])
            #expect(run.lines == ["+0 pages"], "\(run)")
        }

        // MARK: Inherited sockets

        @Test func `A connection that it is given is used, and no other is made by it`() async throws {
            let program = try await CallProbe.path(of: "unreached-static")
            try await TestProxy.during { proxy in
                let output = try await proxy.run(
                    "launching", ["stream", program, FarSide.ipv4, FarSide.echoPort], ending: .clean)
                #expect(
                    output.lines == [
                        "echoed", "connect EACCES", "sendto EACCES", "sendmsg EACCES", "sendmmsg EACCES", "exited 0",
                    ], "\(output)")
            }
        }

        @Test func `A datagram socket that it is given sends nowhere`() async throws {
            let run = try await launch(
                "datagram", try await CallProbe.path(of: "unreached-static"), [FarSide.ipv4, "9"])
            #expect(
                run.lines == ["connect EACCES", "sendto EACCES", "sendmsg EACCES", "sendmmsg EACCES", "exited 0"],
                "\(run)")
        }

        // MARK: Programs that it starts

        @Test(arguments: ["unreached-static", "unreached-noted"])
        func `A program that it starts goes through the proxy`(launcher: String) async throws {
            let programs = (try await CallProbe.path(of: launcher), try await CallProbe.path(of: "connecting"))
            try await TestProxy.during { proxy in
                let run = try await Client.run(
                    [
                        "sh", "-c", "\"$@\"", "sh", programs.0, "execute", programs.1, "blocking", FarSide.ipv4,
                        FarSide.echoPort, "1",
                    ], proxy: proxy.url)
                #expect(run.lines.starts(with: ["0", "peer as connected to", "echoed"]), "\(run)")
                #expect(proxy.requests == ["CONNECT \(FarSide.ipv4):\(try await FarSide.echoPort)"])
            }
        }

        @Test func `A program that it starts has no network if the library is not loaded there`() async throws {
            let program = try await CallProbe.path(of: "unreached-static")
            let run = try await launch("exec", program, ["execute", program, "facts"])
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(run)")
        }

        // MARK: The configuration

        @Test(arguments: ["exec", "spawn"])
        func `With unreachable direct it goes direct, and a line says so`(call: String) async throws {
            let path = try await CallProbe.path(of: "unreached-static")
            let run = try await launch(call, path, configuration: "unreachable direct\nlog warn")
            let native = try await launch(call, path, mode: .bare)
            #expect(run.lines == native.lines)
            #expect(run.error.hasPrefix("socksify: \(path) is statically linked"), "\(run)")
            #expect(run.error.contains("it goes direct") && run.error.lineCount == 1, "\(run)")
        }

        @Test(arguments: ["unreached-static", "unreached-noted"])
        func `With unreachable block it is not started, and a line says why`(program: String) async throws {
            let path = try await CallProbe.path(of: program)
            let run = try await launch("exec", path, configuration: "unreachable block")
            #expect(run.lines.first == "exited 99" && run.lines.count == 2, "\(run)")
            #expect(run.error.contains("it is not started") && run.error.lineCount == 1, "\(run)")
            #expect(run.error.contains("What helps: ") && run.error.contains("'unreachable direct'"), "\(run)")
        }

        @Test func `SOCKSIFY_UNREACHABLE has the last word`() async throws {
            let path = try await CallProbe.path(of: "unreached-static")
            let launching = try await CallProbe.path(of: "launching")
            for (word, isStarted) in [("block", false), ("nonet", true), ("what", false)] {
                let run = try await Client.run(
                    [launching, "exec", path, "facts"],
                    configuration: "unreachable direct\n[ProxyList]\nsocks5 10.99.0.1 1\n",
                    environment: ["SOCKSIFY_UNREACHABLE": word])
                #expect(run.lines.contains("exited 7") == isStarted, "\(run)")
                #expect(run.lines.filter(Self.isOfNetwork) == (isStarted ? Self.withoutNetwork : []), "\(run)")
                #expect(run.error.contains("expected nonet, block or direct") == (word == "what"), "\(run)")
            }
        }

        @Test(arguments: [
            ("unreached-static", "info", true), ("unreached-static", "warn", false), ("unreached-noted", "warn", true),
            ("unreached-noted", "error", false), ("unreached-dynamic", "debug", false),
        ])
        func `A line says why a program has no network, and what helps`(
            program: String, level: String, isSaid: Bool
        ) async throws {
            let path = try await CallProbe.path(of: program)
            let run = try await launch("exec", path, configuration: "log \(level)")
            #expect(run.error.contains("; it is started without network. What helps: ") == isSaid, "\(run)")
            #expect(!isSaid || run.error.hasPrefix("socksify: \(path) ") && run.error.lineCount == 1, "\(run)")
            #expect(!isSaid || run.error.contains("'unreachable direct'"), "\(run)")
        }

        @Test func `Without a usable configuration it has no network`() async throws {
            let program = try await CallProbe.path(of: "unreached-static")
            let run = try await Client.run(
                [try await CallProbe.path(of: "launching"), "exec", program, "facts"],
                environment: ["SOCKSIFY_CONF": "/nonexistent"])
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(run)")
        }

        // MARK: Other kinds

        /// The file has only the beginning of an ELF header: of 32 bits, or of another machine.
        @Test(arguments: [(UInt8(1), UInt8(3), "is a 32-bit program"), (2, 8, "is for another kind of machine")])
        func `Programs that this machine may run otherwise are told of`(
            size: UInt8, machine: UInt8, sentence: String
        ) async throws {
            #if arch(arm64)
            let machine = machine == 3 ? 40 : machine
            #endif
            let header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, size, 1, 1] + [UInt8](repeating: 0, count: 9)
            let path = try Machine.temporaryDirectory("program").appending(path: "header").path
            let bytes = Data(header + [2, 0, machine, 0, 1] + [UInt8](repeating: 0, count: 107))
            #expect(
                FileManager.default.createFile(
                    atPath: path, contents: bytes, attributes: [.posixPermissions: 0o755]))
            let run = try await launch("exec", path, configuration: "log info")
            let native = try await launch("exec", path, mode: .bare)
            #expect(run.lines == native.lines && run.error.contains("\(path) \(sentence)"), "\(run)")
        }

        @Test func `A file that can be executed and not be read may not connect direct`() async throws {
            try Machine.needsRoot("only root can become another user")
            let secret = try await copy("unreached-dynamic", permissions: 0o711)
            let run = try await launch("nobody", secret, configuration: "log info")
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(run)")
            #expect(run.error.contains("\(secret) cannot be read"), "\(run)")
        }

        @Test func `Who acts for another user than its own starts programs without network`() async throws {
            try Machine.needsRoot("only root can act for another user")
            let run = try await launch("another", try await CallProbe.path(of: "unreached-dynamic"))
            #expect(run.lines.filter(Self.isOfNetwork) == Self.withoutNetwork, "\(run)")
        }

        // MARK: Rights

        @Test(arguments: [
            (0o4755, "is set-user-ID"), (0o2755, "is set-group-ID"), (0o755, "has file capabilities"),
        ])
        func `A program that would raise its rights is not started, and a line says why`(
            permissions: Int, sentence: String
        ) async throws {
            try Machine.needsRoot("only root can become another user")
            let program = try await copy("unreached-dynamic", permissions: permissions)
            if permissions == 0o755 {
                let granted = try await Client.start(["setcap", "cap_net_bind_service+ep", program], limit: 10)
                try #require(granted.status == 0, "\(granted)")
            }
            for policy in ["", "unreachable nonet", "unreachable block"] {
                let run = try await launch("nobody", program, configuration: policy)
                #expect(run.lines == ["not executed: EPERM"], "\(run)")
                #expect(run.error.contains("\(program) \(sentence)") && run.error.lineCount == 1, "\(run)")
            }
            let direct = try await launch("nobody", program, configuration: "unreachable direct\nlog warn")
            #expect(direct.status == 7 && direct.error.contains("it goes direct"), "\(direct)")
        }

        @Test func `Rights that a file does not give this caller keep nothing from being started`() async throws {
            try Machine.needsRoot("only root can become another user")
            let program = try await copy("unreached-dynamic", permissions: 0o6755)
            let reached = "no new privileges 0"
            let root = try await launch("exec", program)
            #expect(root.lines.contains(reached) && root.error.isEmpty, "\(root)")
            let limited = try await launch("nobody", program, before: ["setpriv", "--no-new-privs"])
            #expect(limited.status == 7 && limited.lines.contains("inet 0, inet6 0, packet EPERM"), "\(limited)")
            let mounted = try await CallProbe.run(
                "launching", ["nobody", "/mnt/unreached", "facts"], environment: ["SOCKSIFY_PROXY": proxyOfNobody],
                preparation: "mount -t tmpfs -o nosuid,mode=755 tmpfs /mnt; cp -p \(program) /mnt/unreached",
                ending: Ending(status: 7, report: .absent(because: "the program that takes its place is no probe")))
            #expect(mounted.lines.contains(reached), "\(mounted)")
            // In a user namespace that does not map the file's owner, a set-user-ID bit has no effect.
            let changed = try await Client.start(
                ["sh", "-c", "chown 1:1 \(program) && chmod 6755 \(program)"], limit: 10)
            try #require(changed.status == 0, "\(changed)")
            let elsewhere = try await launch("exec", program, before: ["unshare", "--user", "--map-root-user"])
            #expect(elsewhere.lines.contains(reached) && elsewhere.error.isEmpty, "\(elsewhere)")
            let here = try await launch("exec", program)
            #expect(here.lines.first == "exited 99" && here.error.contains("is set-user-ID"), "\(here)")
        }

        // MARK: Go itself

        @Test func `A program of the Go compiler has no network`() async throws {
            let folder = try Machine.temporaryDirectory("go").path
            let source = """
                package main

                import (
                    "fmt"
                    "net"
                )

                func main() {
                    _, err := net.Dial("tcp", "\(FarSide.ipv4):9")
                    fmt.Println(err)
                }
                """
            try source.write(toFile: "\(folder)/main.go", atomically: false, encoding: .utf8)
            try "module dial\n".write(toFile: "\(folder)/go.mod", atomically: false, encoding: .utf8)
            let settings = [
                "GOCACHE=\(folder)/cache", "GOFLAGS=-mod=mod", "GOPATH=\(folder)/path", "GOPROXY=off",
                "GOTOOLCHAIN=local",
            ]
            for (name, setting) in [("static", "CGO_ENABLED=0"), ("dynamic", "CGO_ENABLED=1")] {
                let built = try await Client.start(
                    ["env", "-C", folder, "PATH=\(Machine.path)", setting] + settings + ["go", "build", "-o", name],
                    limit: 300)
                try #require(built.status == 0, "\(built)")
                let run = try await Client.run(
                    ["sh", "-c", "\"$@\"; exit", "sh", "\(folder)/\(name)"], proxy: proxyOfNobody,
                    environment: ["SOCKSIFY_LOG": "warn"])
                #expect(run.output.contains("permission denied"), "\(run)")
                #expect(run.error.contains("\(folder)/\(name) is written in Go"), "\(run)")
            }
        }
    }
}

extension Run {
    fileprivate var lines: [String] { output.split(separator: "\n").map(String.init) }
}

extension String {
    fileprivate var lineCount: Int { split(separator: "\n").count }
}
