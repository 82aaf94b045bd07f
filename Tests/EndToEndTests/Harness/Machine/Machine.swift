import Foundation
import Glibc
import Testing

/// The machine that the tests run on: its addresses, namespaces and directories.
enum Machine {
    /// Addresses in the namespaces, which scripts/test-in-namespace makes.
    static let proxyIPv4 = "10.99.0.1"
    static let proxyIPv6 = "fd99::1"

    /// The files that stand for the client's namespaces.
    static let clientDirectory = ProcessInfo.processInfo.environment["SOCKSIFY_TEST_CLIENT"]

    /// Whether the tests run as root of the machine, not of a user namespace: only then can a process become another
    /// user.
    static let isRoot: Bool = {
        guard getuid() == 0, let map = try? String(contentsOfFile: "/proc/self/uid_map", encoding: .utf8) else {
            return false
        }
        return map.split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
    }()

    /// The root of the package.
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The result of scripts/build.
    static let distribution: URL = {
        if let path = ProcessInfo.processInfo.environment["SOCKSIFY_DIST"] { return URL(filePath: path) }
        return package.appending(path: "dist")
    }()

    static var library: String { distribution.appending(path: "lib/libsocksify.so").path }
    static var tool: String { distribution.appending(path: "bin/socksify").path }

    /// The directory for everything that tests write. It disappears with the namespace.
    static let scratch: URL = {
        let directory = URL(filePath: "/run/socksify-tests-\(getpid())")
        try? FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }()

    /// A new directory in `scratch`.
    static func temporaryDirectory(_ name: String = "t") throws -> URL {
        let directory = scratch.appending(path: "\(name)-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }

    /// Writes a file in a directory of its own and returns its path.
    static func file(_ text: String, name: String = "file", permissions: Int = 0o644) throws -> String {
        let file = try temporaryDirectory().appending(path: name)
        try text.write(to: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: permissions], ofItemAtPath: file.path)
        return file.path
    }

    static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Skips the test unless the tests run as root of the machine.
    static func needsRoot(_ why: Comment) throws {
        guard isRoot else { try Test.cancel(why) }
    }
}

/// Fails each test of a suite where the namespaces are missing, before the test could use the real network.
struct InNamespace: SuiteTrait, TestTrait, TestScoping {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        guard Machine.clientDirectory != nil else {
            throw Missing(description: "end-to-end tests run by scripts/test, in namespaces of their own")
        }
        guard FileManager.default.fileExists(atPath: Machine.library) else {
            throw Missing(description: "\(Machine.library) is missing; scripts/build makes it")
        }
        try await function()
    }
}

extension Trait where Self == InNamespace {
    static var inNamespace: Self { InNamespace() }
}
