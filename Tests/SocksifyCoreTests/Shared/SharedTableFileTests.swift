import Foundation
import Testing

@testable import SocksifyCore

@Suite struct SharedTableFileTests {
    private let folder = TemporaryFolder()

    /// Opens the file of this name; nil when it is refused. What `open` gives is the size that the file has then.
    private func open(_ name: String, size: Int = 4096) -> Int? {
        "\(folder.path)/\(name)".withCString { path in
            SharedTableFile(path)?.open(size: size) { descriptor in Int(lseek(descriptor, 0, SEEK_END)) }
        }
    }

    private var name: String { "socksify-\(getpid())-0123456789abcdef" }

    @Test func `the first to come makes the file, for its user alone`() throws {
        #expect(open(name) == 4096)
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(open(name) == 4096)
    }

    @Test func `a file of another size is refused, and stays as it is`() throws {
        let path = try folder.write([1, 2, 3], to: name)
        chmod(path, 0o600)
        #expect(open(name) == nil)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
    }

    @Test func `a file with another name beside this one is refused`() throws {
        #expect(open(name) == 4096)
        try FileManager.default.linkItem(atPath: "\(folder.path)/\(name)", toPath: "\(folder.path)/other")
        #expect(open(name) == nil)
    }

    @Test func `a file that others may read is refused`() throws {
        #expect(open(name) == 4096)
        chmod("\(folder.path)/\(name)", 0o644)
        #expect(open(name) == nil)
    }

    @Test func `a link is refused`() throws {
        let path = try folder.write(Array(repeating: 0, count: 4096), to: "target")
        chmod(path, 0o600)
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/\(name)", withDestinationPath: path)
        #expect(open(name) == nil)
    }

    @Test(arguments: [
        "socksify-1-0123456789abcde", "socksify-1-0123456789abcdef0", "socksify--0123456789abcdef",
        "socksify-1234567890-0123456789abcdef", "socksify-x-0123456789abcdef", "sucksify-1-0123456789abcdef", "",
    ])
    func `a name of another form is none of such a file`(_ name: String) {
        #expect(open(name) == nil)
        #expect((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) == [])
    }

    @Test func `a relative path is refused`() {
        #expect(name.withCString { SharedTableFile($0) == nil })
        #expect("a/\(name)".withCString { SharedTableFile($0) == nil })
    }
}
