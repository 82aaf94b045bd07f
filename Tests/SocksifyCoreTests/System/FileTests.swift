import Foundation
import ProxyConfig
import Testing

@testable import SocksifyCore

@Suite struct FileTests {
    private let folder = TemporaryFolder()

    @Test func `a file is read whole`() throws {
        let bytes = (0..<9000).map { UInt8(truncatingIfNeeded: $0) }
        let path = try folder.write(bytes, to: "file")
        chmod(path, 0o600)
        let file = try FileContents.read(Array(path.utf8)).get()
        #expect(file.bytes == bytes)
        #expect(!file.isReadableByOthers)
        chmod(path, 0o644)
        #expect(try FileContents.read(Array(path.utf8)).get().isReadableByOthers)
    }

    @Test func `what is not there, no file or too large is told apart`() throws {
        func failure(_ path: String) -> FileFailure? {
            if case .failure(let failure) = FileContents.read(Array(path.utf8)) { return failure }
            return nil
        }
        #expect(failure("\(folder.path)/none") == .absent(errno: ENOENT))
        #expect(failure(folder.path) == .noRegularFile)
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/link", withDestinationPath: "\(folder.path)/none")
        #expect(failure("\(folder.path)/link") == .refused(errno: ENOENT))
        let large = try folder.write(Array(repeating: 0x20, count: FileContents.largest + 1), to: "large")
        #expect(failure(large) == .tooLarge)
        let largest = try folder.write(Array(repeating: 0x20, count: FileContents.largest), to: "largest")
        #expect(failure(largest) == nil)
    }

    @Test func `a folder gives the names of all that is in it`() throws {
        for index in 0..<300 { _ = try folder.write([], to: "file-\(index)") }
        var names: Set<String> = []
        folder.path.withCString { path in
            guard let folder = Directory(path) else { return }
            defer { folder.close() }
            folder.forEachName { names.insert(String(cString: $0)) }
        }
        #expect(names == Set((0..<300).map { "file-\($0)" } + [".", ".."]))
        #expect("\(folder.path)/none".withCString { Directory($0) == nil })
    }
}
