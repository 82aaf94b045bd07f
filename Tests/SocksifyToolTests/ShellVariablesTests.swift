import Foundation
import Testing

@testable import SocksifyTool

@Suite struct ShellVariablesTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func commands() {
        let value = Array("a'b\\c".utf8)
        #expect(text(ShellLanguage.sh.command(("A", value))) == "export A='a'\\''b\\c';\n")
        #expect(text(ShellLanguage.zsh.command(("A", nil))) == "unset A;\n")
        #expect(text(ShellLanguage.fish.command(("A", value))) == "set -gx A 'a\\'b\\\\c';\n")
        #expect(text(ShellLanguage.fish.command(("A", nil))) == "set -e A;\n")
    }

    /// A shell reads back every byte that a variable can have, and former values are gone.
    @Test func everyByteInAShell() throws {
        let value = Array(UInt8(1)...UInt8(255))
        let script = ShellLanguage.sh.command(("A", value)) + ShellLanguage.sh.command(("B", nil))
        let folder = TemporaryFolder()
        let file = folder.write("script", Data(script), mode: 0o644)
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "eval \"$(cat \(file))\"; printf '%s' \"$A|$B\""]
        process.environment = ["PATH": "/usr/bin:/bin", "B": "b", "LC_ALL": "C"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let read = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(Array(read) == value + [UInt8(ascii: "|")])
    }
}
