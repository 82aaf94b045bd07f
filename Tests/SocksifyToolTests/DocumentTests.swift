import Foundation
import ProxyConfig
import Testing

/// Compares what the documents say about the language, the command and each other with these.
@Suite struct DocumentTests {
    private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Paths of all documents, from the root of the package.
    private static let documents = paths(below: "") { $0.hasSuffix(".md") }

    /// Paths of files below a folder, without build products and hidden files.
    private static func paths(below folder: String, _ isMeant: (String) -> Bool) -> [String] {
        let root = package.appending(path: folder).path()
        guard let files = FileManager.default.enumerator(atPath: root) else { return [] }
        var paths: [String] = []
        while let path = files.nextObject() as? String {
            if path.hasPrefix(".") || path == "dist" {
                files.skipDescendants()
            } else if isMeant(path) {
                paths.append(folder + path)
            }
        }
        return paths.sorted()
    }

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: package.appending(path: path), encoding: .utf8)
    }

    /// The configurations in a document: its blocks of the language `socksify`.
    private static func configurations(_ document: String) throws -> [String] {
        try text(document).matches(of: /(?ms)^```socksify\n(.*?)^```$/).map { String($0.1) }
    }

    /// A document without its blocks of code.
    private static func prose(_ document: String) throws -> String {
        try text(document).replacing(/(?ms)^```.*?^```$/, with: "").replacing(/(?m)^    .*$/, with: "")
    }

    /// The code in the prose and the tables of a document, or only in its tables.
    private static func code(_ document: String, inTablesAlone: Bool = false) throws -> [String] {
        let lines = try text(document).split(separator: "\n").filter { !inTablesAlone || $0.hasPrefix("|") }
        return lines.flatMap { $0.matches(of: /`([^`]+)`/).map { String($0.1) } }
    }

    private static func words(_ code: [String]) -> Set<String> {
        Set(code.flatMap { $0.matches(of: /[A-Za-z0-9_-]+/).map { String($0.0) } })
    }

    // MARK: Configurations

    @Test func `There are configurations in the README and where they are explained`() throws {
        for document in ["README.md", "docs/configuration.md"] {
            #expect(try !DocumentTests.configurations(document).isEmpty, "\(document)")
        }
    }

    @Test(arguments: documents)
    func `Every configuration is read without a mistake`(document: String) throws {
        for text in try DocumentTests.configurations(document) {
            let parsed = Configuration.parse(Array(text.utf8).span, style: .socksify)
            #expect((parsed.allErrors + parsed.warnings).map(\.description) == [], "\(text)")
        }
    }

    @Test(arguments: documents)
    func `Every configuration says that it is one`(document: String) throws {
        let rest = try DocumentTests.text(document).replacing(/(?ms)^```socksify\n.*?^```$/, with: "")
        #expect(rest.firstMatch(of: /(?m)^ *\[ProxyList\] *$/) == nil)
    }

    // MARK: Words

    @Test func `Every word of the language is explained`() throws {
        let files = DocumentTests.paths(below: "Sources/") {
            $0.hasSuffix("Grammar.swift") || $0.hasSuffix("/ProxyEntry.swift") || $0.hasSuffix("/ProxyURL.swift")
        }
        var words = Set(UnreachablePolicy.allCases.map { "\($0.text)" })
        for source in try files.map(DocumentTests.text) {
            let compared = source.matches(of: /(?:equals|starts)\([^"\n]*"([^"]+)"/).map { String($0.1) }
            let chosen = source.matches(of: /\("([^"]+)", \./).map { String($0.1) }
            words.formUnion(
                (compared + chosen).compactMap { $0.wholeMatch(of: /\[?([A-Za-z][\w-]+)[\]=]?/)?.1 }.map(String.init))
        }
        try #require(words.isSuperset(of: ["dead_time", "localnet", "fragment", "ProxyList", "password-env", "nonet"]))
        let document = "docs/configuration.md"
        let explained = try DocumentTests.code(document, inTablesAlone: true) + DocumentTests.configurations(document)
        #expect(words.subtracting(DocumentTests.words(explained)) == [])
    }

    @Test func `Every option of the command is explained, and no other`() throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(filePath: own).deletingLastPathComponent().appending(path: "socksify")
        process.arguments = ["--help"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let help = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        let options = Set(help.matches(of: /--[a-z][a-z-]+/).map { String($0.0) })
        try #require(options.contains("--check"))
        #expect(try DocumentTests.words(DocumentTests.code("docs/usage.md")).filter { $0.hasPrefix("--") } == options)
    }

    @Test func `Every variable that is read is explained`() throws {
        let sources = DocumentTests.paths(below: "Sources/") { [".swift", ".c", ".h"].contains(where: $0.hasSuffix) }
        let read = try sources.flatMap { source in
            try DocumentTests.text(source).matches(of: /"(SOCKSIFY_[A-Z]+)[="]/).map { String($0.1) }
        }
        try #require(read.contains("SOCKSIFY_PROXY"))
        let explained = try DocumentTests.words(DocumentTests.code("docs/configuration.md", inTablesAlone: true))
        #expect(Set(read).subtracting(explained) == [])
    }

    // MARK: Links

    @Test(arguments: documents)
    func `Every link leads to a file, and to a heading in it`(document: String) throws {
        let folder = DocumentTests.package.appending(path: document).deletingLastPathComponent()
        let prose = try DocumentTests.prose(document).replacing(/`[^`\n]*`(?!\]\()/, with: "")
        for link in prose.matches(of: /\]\(([^()\s]+)\)/).map({ String($0.1) }) where !link.contains("://") {
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
            let file =
                parts[0].isEmpty ? DocumentTests.package.appending(path: document) : folder.appending(path: parts[0])
            #expect(FileManager.default.fileExists(atPath: file.path()), "\(link)")
            guard parts.count == 2, let text = try? String(contentsOf: file, encoding: .utf8) else { continue }
            #expect(DocumentTests.headings(text).contains(String(parts[1])), "\(link)")
        }
    }

    /// The names of a document's headings in links.
    private static func headings(_ text: String) -> Set<String> {
        Set(
            text.matches(of: /(?m)^#+ (.+)$/).map { heading in
                heading.1.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
                    .replacing(" ", with: "-")
            })
    }

    @Test func `The README is short`() throws {
        #expect(try DocumentTests.text("README.md").utf8.count <= 10_240)
    }
}
