import Foundation
import Testing

/// A configuration of a peer, the same for socksify, and the ways of connections under both: files of `PeerFiles/` with
/// the same name.
///
/// `NAME.conf` is the peer's file; `NAME.socksify.conf` is that of socksify, for a peer whose file socksify does not
/// read. `NAME.env` and `NAME.socksify.env` have environment variables, one a line; `NAME.options` and
/// `NAME.socksify.options` have the options of the command. A line of `NAME.ways` has targets, as the probe takes them,
/// and after two spaces the way to each.
struct PeerFile: CustomTestStringConvertible, Sendable {
    struct Way: Sendable {
        var targets: [String]
        var way: String
    }

    var name: String
    var folder: String
    var testDescription: String { name }

    /// The peer's file; nil if the environment is the whole configuration.
    var path: String? { existing(".conf") }
    /// The file for socksify.
    var translation: String? { existing(".socksify.conf") }

    /// All files of a peer.
    static func all(of peer: String) -> [PeerFile] {
        let folder = Machine.package.appending(path: "Tests/EndToEndTests/PeerFiles/\(peer)").path
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return files.sorted().filter { $0.hasSuffix(".ways") }.map {
            PeerFile(name: String($0.dropLast(".ways".count)), folder: folder)
        }
    }

    /// The words in all files of a peer: keywords, and the signs and numbers between them.
    static func words(of peer: String) throws -> Set<Substring> {
        var words = Set<Substring>()
        for file in all(of: peer) {
            for line in try [".conf", ".env", ".options"].flatMap(file.lines) {
                // Splits `port >= 1` as well as `chain_len=1`.
                for signs in ["_.-<>=!", "_.-"] {
                    words.formUnion(line.split { !$0.isLetter && !$0.isNumber && !signs.contains($0) })
                }
            }
        }
        return words
    }

    private func existing(_ suffix: String) -> String? {
        let path = "\(folder)/\(name)\(suffix)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private func lines(_ suffix: String) throws -> [Substring] {
        guard let path = existing(suffix) else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").filter { !$0.hasPrefix("#") }
    }

    private func environment(_ suffix: String, file variable: String, _ path: String?) throws -> [String: String] {
        var environment = path.map { [variable: $0] } ?? [:]
        for line in try lines(suffix) {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        return environment
    }

    private func options(_ suffix: String) throws -> [String] {
        try lines(suffix).flatMap { $0.split(separator: " ").map(String.init) }
    }

    private func ways() throws -> [Way] {
        try lines(".ways").map { line in
            let gap = try #require(line.firstRange(of: "  "))
            return Way(
                targets: line[..<gap.lowerBound].split(separator: " ").map(String.init),
                way: String(line[gap.upperBound...].drop { $0 == " " }))
        }
    }

    /// Expects that every target is reached on its way, under the peer, which the command `peer` starts, and under
    /// socksify.
    ///
    /// - Parameters:
    ///   - variable: the variable that names a file to the peer.
    ///   - ownVariable: the variable that names a file to socksify.
    ///   - differences: the targets that the peer treats differently, with this file and with others.
    func compare(
        under peer: [String], file variable: String, socksify ownVariable: String = "SOCKSIFY_CONF",
        differences: [PeerDifference] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let environment = try environment(".env", file: variable, path)
        var ownEnvironment = try self.environment(".socksify.env", file: ownVariable, translation ?? path)
        let peer = try peer + options(".options")
        let own = try existing(".socksify.options") == nil ? [] : [Machine.tool] + options(".socksify.options")
        if own.isEmpty { ownEnvironment["LD_PRELOAD"] = Machine.library }
        let ways = try ways()
        var differences = differences.filter { $0.file == name }
        try #require(!ways.isEmpty)
        try await PeerProxies.during(PeerProxies.common) { proxies in
            for way in ways {
                let theirs = try await proxies.ways(
                    of: PeerNetwork.command(peer, targets: way.targets, environment: environment))
                let difference = differences.firstIndex { $0.targets == way.targets }.map { differences.remove(at: $0) }
                #expect(
                    theirs == difference?.way ?? way.way,
                    "the peer to \(way.targets)\(difference.map { ", otherwise because \($0.reason)" } ?? "")",
                    sourceLocation: sourceLocation)
                let ours = try await proxies.ways(
                    of: PeerNetwork.command(own, targets: way.targets, environment: ownEnvironment))
                #expect(ours == way.way, "socksify to \(way.targets)", sourceLocation: sourceLocation)
            }
        }
        #expect(differences.map(\.targets) == [], "differences of no way", sourceLocation: sourceLocation)
    }
}

/// A peer's way to targets that differs from socksify's under the same configuration.
struct PeerDifference: Sendable {
    var file: String
    var targets: [String]
    /// The peer's way.
    var way: String
    /// The reason why socksify does not do the same.
    var reason: String

    init(_ file: String, _ targets: String..., way: String, because reason: String) {
        self.file = file
        self.targets = targets
        self.way = way
        self.reason = reason
    }
}
