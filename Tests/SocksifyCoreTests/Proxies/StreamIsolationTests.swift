import ProxyConfig
import Testing

@testable import SocksifyCore
@testable import Tunnel

@Suite struct StreamIsolationTests {
    private func words() -> UnsafeMutablePointer<UInt64> {
        zeroedMemory(16).assumingMemoryBound(to: UInt64.self)
    }

    private func request(_ isolation: Isolation, tree: UnsafeMutablePointer<UInt64>) -> [UInt8]? {
        let name = StreamIsolation(isolation, tree: tree, own: zeroedMemory(StreamIsolation.ownSize))
        guard let credentials = name.credentials else { return nil }
        var message: [UInt8] = []
        credentials.write(to: &message)
        return message
    }

    @Test func `without isolation there are no credentials, and no words are made`() {
        let tree = words()
        #expect(request(.none, tree: tree) == nil)
        #expect(tree[0] == 0 && tree[1] == 0)
    }

    @Test func `the processes of a tree have the words of the first`() throws {
        let tree = words()
        let first = try #require(request(.tree, tree: tree))
        #expect(tree[0] != 0 && tree[1] != 0)
        #expect(request(.tree, tree: tree) == first)
        #expect(request(.tree, tree: words()) != first)
    }

    @Test func `each process has words of its own, and makes none for the tree`() throws {
        let tree = words()
        let first = try #require(request(.process, tree: tree))
        #expect(request(.process, tree: tree) != first)
        #expect(tree[0] == 0 && tree[1] == 0)
    }

    @Test func `user and password are the same 32 digits`() throws {
        let tree = words()
        (tree[0], tree[1]) = (0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3211)
        let digits = Array("0123456789abcdeffedcba9876543211".utf8)
        #expect(request(.tree, tree: tree) == [1, 32] + digits + [32] + digits)
    }
}
