import Foundation

/// The descriptors that a process of a probe had open at its end and had not opened itself (CallProbes/descriptors.c).
struct ProbeReport: Sendable {
    var program: String
    /// The number of each descriptor and what it refers to.
    var descriptors: [String]

    /// The directory of the probes' reports, with a file for each process group.
    private static let directory: URL = {
        let directory = URL(filePath: "/run/socksify-probes")
        try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try? FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: directory.path)
        return directory
    }()

    /// Makes the directory, before a program starts.
    static func prepare() { _ = directory }

    /// Removes and returns the reports of a process group that has ended.
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
