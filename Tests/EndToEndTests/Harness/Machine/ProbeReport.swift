import Foundation

/// What a process of a probe had open at its end that it had not opened itself (CallProbes/descriptors.c).
struct ProbeReport: Sendable {
    var program: String
    /// The number of each, and what it stands for.
    var descriptors: [String]

    /// Where probes leave their reports: a file for each process group.
    private static let directory: URL = {
        let directory = URL(filePath: "/run/socksify-probes")
        try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try? FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: directory.path)
        return directory
    }()

    /// Makes a place for them, before a program starts.
    static func prepare() { _ = directory }

    /// Takes the reports of a process group that has ended.
    static func take(group: Int) -> [ProbeReport] {
        let file = directory.appending(path: "\(group)")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        try? FileManager.default.removeItem(at: file)
        return text.split(separator: "\n").map { line in
            let words = line.split(separator: "\t").map(String.init)
            return ProbeReport(program: words[0], descriptors: Array(words.dropFirst()))
        }
    }
}
