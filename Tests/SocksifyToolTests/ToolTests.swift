import Foundation
import Testing

/// The built tool, run as a user runs it, with a library without effect beside it.
@Suite struct ToolTests {
    private let folder = TemporaryFolder()
    private let tool: String

    init() throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        tool = folder.path + "/bin/socksify"
        for name in ["bin", "lib"] {
            try FileManager.default.createDirectory(
                atPath: folder.path + "/" + name, withIntermediateDirectories: true)
        }
        try copyProgram(URL(filePath: own).deletingLastPathComponent().path() + "/socksify", to: tool)
        // Any library of this machine can be preloaded; libm is loaded in this process.
        let maps = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps")).readToEnd()
        let lines = String(decoding: maps ?? Data(), as: UTF8.self).split(separator: "\n")
        let line = try #require(lines.first { $0.hasSuffix("/libm.so.6") })
        let library = String(line[try #require(line.firstIndex(of: "/"))...])
        try FileManager.default.copyItem(atPath: library, toPath: folder.path + "/lib/libsocksify.so")
    }

    private struct Outcome: Equatable {
        var status: Int32
        var output: String
        var error: String
    }

    private func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: tool)
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"]) {
            given, _ in given
        }
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        let error = Pipe()
        process.standardOutput = output
        process.standardError = error
        try process.run()
        let outputData = try output.fileHandleForReading.readToEnd() ?? Data()
        let errorData = try error.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .uncaughtSignal
                ? 128 + process.terminationStatus : process.terminationStatus,
            output: String(decoding: outputData, as: UTF8.self),
            error: String(decoding: errorData, as: UTF8.self))
    }

    /// The command gets its arguments and the variables, and its status is the tool's.
    @Test func becomesTheCommand() throws {
        let script = "echo \"$SOCKSIFY_PROXY|$LD_PRELOAD|$SOCKSIFY_LOG|$*\"; exit 7"
        #expect(
            try run(["-x", "10.0.0.1", "sh", "-c", script, "sh", "-x", "--help", "--"])
                == Outcome(
                    status: 7,
                    output: "socks5://10.0.0.1:1080|\(folder.path)/lib/libsocksify.so||-x --help --\n",
                    error: ""))
        #expect(try run(["-x", "10.0.0.1", "-q", "--", "sh", "-c", script]).output.hasSuffix("|off|\n"))
        #expect(try run(["-x", "10.0.0.1", "-vv", "sh", "-c", script]).output.hasSuffix("|debug|\n"))
        #expect(try run(["-v", "-x", "10.0.0.1", "sh", "-c", script]).output.hasSuffix("|info|\n"))
        let killed = try run(["-x", "10.0.0.1", "sh", "-c", "kill -KILL $$"])
        #expect(killed.status == 128 + 9)
    }

    @Test func versionAndHelp() throws {
        #expect(try run(["--version"]) == Outcome(status: 0, output: "socksify 0.1.0\n", error: ""))
        let help = try run(["--help"])
        #expect(help.status == 0 && help.error == "" && help.output.contains("-x"))
    }

    @Test(
        arguments: [
            ([], Int32(125), "as in socksify -x localhost:1080 curl"),
            (["-x", "10.0.0.1"], 125, "no command is given"),
            (["-x"], 125, "Missing value"), (["--what", "true"], 125, "unknown option '--what'"),
            (["-q", "-v", "true"], 125, "-q and -v exclude each other"),
            (["--check", "--shell"], 125, "--check and --shell exclude each other"),
            (["--shell", "true"], 125, "--shell takes no command, but 'true' is given"),
            (["--env", "--", "true"], 125, "--env takes no command"),
            (["--check", "a:1", "b:1"], 125, "--check takes one word, not 'a:1'"),
            (["--check", "a:1", "--what"], 125, "unknown option '--what'"),
            (["-x", "10.0.0.1", "--check", "a"], 125, "'a' has no port; expected one, as in a:443"),
            (["--explain", "-x", "10.0.0.1"], 125, "--explain what?"),
            (["--explain", "a:b", "-x", "10.0.0.1"], 125, "'a:b' is not a destination"),
            (["--print-config", "-f", "/dev/zero"], 125, "is not a regular file"),
            (["--print-config", "true"], 125, "--print-config takes no command"),
            (["--udp", "true"], 125, "--udp goes with --explain"),
            (["--app", "x", "true"], 125, "--app goes with --explain and --print-config"),
            (["-x", "10.0.0.1", "--direct", "a:0", "true"], 125, "--direct, column 3: "),
            (["--unreachable", "prison", "true"], 125, "'nonet', 'block' or 'direct'"),
            (["--timeout", "3", "true"], 125, "--timeout goes with --check"),
            (["--check", "--timeout", "0"], 125, "--timeout is in seconds"),
            (["-x", "10.0.0.1", "--direct", "http://a", "true"], 125, "as in '.example.org', '10.0.0.0/8'"),
            (["--json", "true"], 125, "--json goes with --check"),
            (["-x", "10.0.0.1", "--env", "tcsh"], 125, "'tcsh' is not a shell that --env supports"),
            (["-x", "ftp://10.0.0.1", "true"], 125, "for example, socks5://127.0.0.1:1080"),
            (
                ["-f", "/nonexistent", "true"], 125,
                "cannot read the configuration /nonexistent: No such file"
            ),
            (["-x", "10.0.0.1", "no-such-command"], 127, "no-such-command: No such file"),
            (["-x", "10.0.0.1", "/nonexistent/command"], 127, "No such file"),
            (["-x", "10.0.0.1", "/dev/null/command"], 127, "Not a directory"),
            (["-x", "10.0.0.1", "/etc/passwd"], 126, "Permission denied"),
            (["-x", "10.0.0.1", "/"], 126, "Permission denied"),
            (["-x", "10.0.0.1", ""], 127, "empty"),
        ] as [([String], Int32, String)])
    func failures(arguments: [String], status: Int32, sentence: String) throws {
        let outcome = try run(arguments)
        #expect(outcome.status == status)
        #expect(outcome.output == "")
        #expect(outcome.error.hasPrefix("socksify: "))
        #expect(outcome.error.contains(sentence))
    }

    /// The search is execvp(3)'s: it skips a file that cannot be run, and reports it if there is no other.
    @Test func commandThatMayNotBeRun() throws {
        _ = folder.write("plain/it", "no program", mode: 0o644)
        _ = folder.write("programs/it", "#!/bin/sh\necho ran\n", mode: 0o755)
        let path = "/nonexistent:\(folder.path)/plain"
        let outcome = try run(["-x", "10.0.0.1", "it"], ["PATH": path])
        #expect(outcome == Outcome(status: 126, output: "", error: "socksify: it: Permission denied\n"))
        let other = try run(["-x", "10.0.0.1", "it"], ["PATH": "\(path):\(folder.path)/programs"])
        #expect(other == Outcome(status: 0, output: "ran\n", error: ""))
    }

    /// A shell gets a line that names its proxy, and keeps its own status.
    @Test func shell() throws {
        let shell = folder.write("shell", "#!/bin/sh\necho \"$SOCKSIFY_PROXY|$*\"\nexit 5\n", mode: 0o755)
        let arguments = ["-x", "10.0.0.1", "-x", "10.0.0.2:9", "--shell"]
        let outcome = try run(arguments, ["SHELL": shell])
        #expect(outcome.status == 5)
        #expect(outcome.output == "socks5://10.0.0.1:1080,socks5://10.0.0.2:9|\n")
        #expect(
            outcome.error == """
                socksify: programs started in this shell go through socks5 10.0.0.1:1080, then socks5 10.0.0.2:9
                socksify: leave it with: exit

                """)
        #expect(try run(["-q"] + arguments, ["SHELL": shell]).error == "")
        #expect(try run(["-q"] + arguments).status == 0)
        let unreachable = try run(arguments, ["SHELL": folder.write("s", Data(elf()), mode: 0o755)])
        #expect(unreachable.status == 126 && !unreachable.error.contains("leave it"))
    }

    /// The printed variables make the environment of a command, without the name of the table, which belongs to one
    /// process tree.
    @Test func environmentForAShell() throws {
        let file = folder.write("a.conf", "[ProxyList]\nsocks5 10.0.0.9 1080\n")
        let printed = try run(["-v", "-x", "socks5://it%27s:p@10.0.0.1", "--env"], ["LD_PRELOAD": ""])
        #expect(
            printed.output == """
                export SOCKSIFY_PROXY='socks5://it%27s:p@10.0.0.1:1080';
                export SOCKSIFY_LOG='info';
                export LD_PRELOAD='\(folder.path)/lib/libsocksify.so';

                """)
        let chosen = try run(["-f", file, "--env", "zsh"], ["SOCKSIFY_PROXY": "10.0.0.7"])
        #expect(chosen.output.contains("unset SOCKSIFY_PROXY;\n"))
        #expect(chosen.output.contains("export SOCKSIFY_CONF='\(file)';\n"))
        #expect(try run(["-x", "10.0.0.1", "--env", "fish"]).output.hasPrefix("set -gx SOCKSIFY_PROXY "))
    }

    /// The answers go to standard output, with options before or after.
    @Test func answers() throws {
        let explained = try run(["--explain", "10.0.0.9:22", "-x", "10.0.0.1", "--json"])
        #expect(explained.status == 0 && explained.output.contains("\"way\": \"proxy\"") && explained.error == "")
        let printed = try run(["-x", "10.0.0.1", "--print-config"])
        #expect(printed.status == 0 && printed.output.contains("\n[ProxyList]\nsocks5://10.0.0.1:1080\n"))
        let file = folder.write("bad.conf", "what\n[ProxyList]\nsocks5 10.0.0.1 x\n[Rules]\nblock host\n")
        let mistakes = try run(["-f", file, "--print-config"])
        #expect(mistakes.status == 125 && mistakes.output == "")
        for place in ["\(file):1:1: ", "\(file):3:17: ", "\(file):5:11: "] {
            #expect(mistakes.error.contains("socksify: \(place)"), "\(mistakes)")
        }
    }

    /// The help has every option, and fits a terminal.
    @Test func helpForTheEyes() throws {
        let help = try run(["--help"], ["COLUMNS": "80"]).output
        for option in [
            "-x, --proxy", "-f, --file", "-q, --quiet", "-v, --verbose", "--direct", "--shell", "--env", "--explain",
            "--print-config", "--udp", "--app", "--check", "--timeout",
            "--json", "--version", "EXIT STATUS", "FILES", "password-file",
        ] {
            #expect(help.contains(option), "\(option)")
        }
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    /// Without a configuration the error says how to give one.
    @Test func withoutConfiguration() throws {
        // The machine may have a configuration for all users.
        let outcome = try run(["true"], ["HOME": "/nonexistent"])
        guard !FileManager.default.fileExists(atPath: "/etc/socksify.conf"),
            !FileManager.default.fileExists(atPath: "/etc/proxychains.conf"),
            !FileManager.default.fileExists(atPath: "/etc/proxychains4.conf")
        else { return }
        #expect(outcome.status == 125)
        #expect(outcome.error.contains("socksify -x socks5://127.0.0.1:1080"))
        #expect(outcome.error.contains("[ProxyList]"))
    }

    @Test func withoutLibrary() throws {
        try FileManager.default.removeItem(atPath: folder.path + "/lib/libsocksify.so")
        let outcome = try run(["-x", "10.0.0.1", "true"])
        #expect(outcome.status == 125)
        #expect(
            outcome.error.contains(
                "\(folder.path)/lib/libsocksify.so or \(folder.path)/lib/socksify/libsocksify.so"))
    }

    /// Programs that cannot be preloaded, themselves and as interpreters.
    @Test func unreachablePrograms() throws {
        let fixed = folder.write("fixed", Data(elf(headers: [(1, 0, 0)])), mode: 0o755)
        let other = folder.write("other", Data(elf(machine: 8)), mode: 0o755)
        let musl = Array("/lib/ld-musl-x86_64.so.1\0".utf8)
        let forMusl = folder.write(
            "musl", Data(elf(headers: [(3, 256, UInt64(musl.count))], tail: musl)), mode: 0o755)
        let script = folder.write("script", "#!\(fixed)\n", mode: 0o755)
        for (path, sentence) in [
            (fixed, "\(fixed) is statically linked"), (other, "\(other) is for another kind of machine"),
            (forMusl, "\(forMusl) is made for another libc"),
            (script, "\(script): its interpreter \(fixed) is statically linked"),
        ] {
            let outcome = try run(["-x", "10.0.0.1", path])
            #expect(outcome.status == 126)
            #expect(outcome.error.contains(sentence))
            #expect(outcome.error.contains("What helps: "))
            #expect(outcome.error.contains("--unreachable nonet") && outcome.error.contains("--unreachable direct"))
            #expect(try run(["-x", "10.0.0.1", "--unreachable", "block", path]) == outcome)
        }
        let file = folder.write("block.conf", "unreachable block\n[ProxyList]\nsocks5 10.0.0.1 1\n")
        #expect(try run(["-f", file, fixed]).status == 126)
    }

    /// The option applies to the command, and to all programs that it starts.
    @Test func optionForUnreachablePrograms() throws {
        let word = ["printenv", "SOCKSIFY_UNREACHABLE"]
        for policy in ["nonet", "block", "direct"] {
            let outcome = try run(["-x", "10.0.0.1", "--unreachable", policy] + word)
            #expect(outcome == Outcome(status: 0, output: policy + "\n", error: ""))
            let printed = try run(["-x", "10.0.0.1", "--unreachable=\(policy)", "--print-config"])
            #expect(printed.output.contains("\nunreachable \(policy)\n"))
        }
        #expect(try run(["-x", "10.0.0.1"] + word).status == 1)
        let inherited = try run(["-x", "10.0.0.1", "--print-config"], ["SOCKSIFY_UNREACHABLE": "direct"])
        #expect(inherited.output.contains("\nunreachable direct\n"))
    }

    @Test func variableForUnreachablePrograms() throws {
        let outcome = try run(["-x", "10.0.0.1", "true"], ["SOCKSIFY_UNREACHABLE": "prison"])
        #expect(outcome.status == 125)
        #expect(outcome.error == "socksify: SOCKSIFY_UNREACHABLE: expected nonet, block or direct\n")
    }

    /// The shell runs a script without `#!`, as with execvp(3).
    @Test func scriptWithoutFirstLine() throws {
        let script = folder.write("script", "echo ran $1\n", mode: 0o755)
        #expect(
            try run(["-x", "10.0.0.1", script, "on"]) == Outcome(status: 0, output: "ran on\n", error: ""))
    }

    /// A set-user-ID program whose owner is this user.
    private func setUserIDProgram() throws -> String {
        let own = folder.path + "/own"
        try copyProgram("/bin/true", to: own)
        #expect(chmod(own, 0o4755) == 0)
        return own
    }

    /// A set-user-ID bit matters only for another user than the owner.
    @Test func setUserIDOfOneself() throws {
        #expect(try run(["-x", "10.0.0.1", setUserIDProgram()]).status == 0)
    }

    @Test(.enabled(if: getuid() == 0 && hasOtherUsers, "only root can give a file to another user"))
    func setUserIDOfAnother() throws {
        let own = try setUserIDProgram()
        #expect(chown(own, 65534, 65534) == 0 && chmod(own, 0o4755) == 0)
        let user = try run(["-x", "10.0.0.1", own])
        #expect(user.status == 126 && user.error.contains("set-user-ID"))
        #expect(chmod(own, 0o2755) == 0)
        let group = try run(["-x", "10.0.0.1", own])
        #expect(group.status == 126 && group.error.contains("set-group-ID"))
        #expect(chmod(own, 0o2745) == 0)
        #expect(try run(["-x", "10.0.0.1", own]).status == 0)
    }
}

/// Whether this user namespace has more users than its own root: only then can a file belong to one.
private let hasOtherUsers: Bool = {
    let map = (try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8)) ?? ""
    return map.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }.map { $0 > 65534 } ?? false
}()
