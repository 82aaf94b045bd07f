import Glibc

/// A configuration file that exists during a call.
struct ConfigurationText {
    var text: String

    init(_ text: String) { self.text = text }

    /// Writes the text to a new file and passes its path to `body`.
    func write<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        try await write(in: []) { try await body("\($0)/socksify.conf") }
    }

    /// Writes the text to the user's configuration file in a new home and passes the path of that home to `body`.
    func writeToHome<Result>(_ body: (String) async throws -> Result) async throws -> Result {
        try await write(in: [".config", "socksify"], body)
    }

    private func write<Result>(
        in folders: [String], _ body: (String) async throws -> Result
    ) async throws -> Result {
        var template = Array("/tmp/socksify-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw CallProbe.Failure("mkdtemp failed") }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var made = [folder]
        for name in folders {
            made.append("\(made[made.count - 1])/\(name)")
            mkdir(made[made.count - 1], 0o755)
        }
        let path = "\(made[made.count - 1])/socksify.conf"
        guard let file = fopen(path, "w") else { throw CallProbe.Failure("cannot write \(path)") }
        fputs(text + "\n", file)
        fclose(file)
        defer {
            unlink(path)
            for folder in made.reversed() { rmdir(folder) }
        }
        return try await body(folder)
    }
}
