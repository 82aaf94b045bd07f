import CPreload
import ProxyConfig

extension ProgramIdentity {
    /// The program that the process runs: its executable file, and for an interpreter its script.
    static var ofProcess: ProgramIdentity? {
        guard let executable = executable else { return nil }
        var arguments: [UInt8] = []
        if case .success(let file) = FileContents.read(Array("/proc/self/cmdline")) { arguments = file.bytes }
        return ProgramIdentity(
            executable: executable, arguments: split(arguments),
            executedBy: process_program_path().map { Array(bytes(of: $0)) })
    }

    private static var executable: [UInt8]? {
        var path = InlineArray<4096, UInt8>(repeating: 0)
        let length = kernel_read_link(cString("/proc/self/exe"), &path, 4096)
        guard length > 0 else { return process_program_path().map { Array(bytes(of: $0)) } }
        // proc(5): the file was replaced or removed while the program runs.
        let mark: StaticString = " (deleted)"
        var end = min(length, 4096)
        let start = end - mark.utf8CodeUnitCount
        if start > 0 {
            var isMarked = true
            for index in start..<end where path[index] != mark.utf8Start[index - start] { isMarked = false }
            if isMarked { end = start }
        }
        return Array(path.span.extracting(..<end))
    }

    /// Each argument ends with a zero byte.
    private static func split(_ text: [UInt8]) -> [[UInt8]] {
        var arguments: [[UInt8]] = []
        var start = 0
        for index in text.indices where text[index] == 0 {
            arguments.append(Array(text.span.extracting(start..<index)))
            start = index + 1
        }
        return arguments
    }
}
