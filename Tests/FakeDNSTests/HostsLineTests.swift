import Addressing
import FakeDNS
import Testing

@Suite struct HostsLineTests {
    @Test(arguments: [
        ("127.0.0.1 localhost", "localhost", true), ("127.0.0.1\tlocalhost loghost\n", "LOGHOST", true),
        ("  ::1   a b c # d", "c", true), ("::1 a # d", "d", false), ("::1 a", "aa", false), ("::1 aa", "a", false),
        ("192.0.2.1", "192.0.2.1", false), ("192.0.2.1 a\r\n", "a", true), ("192.0.2.1 a#b", "a", true),
    ])
    func `a line gives each of its names its address`(line: String, name: String, gives: Bool) throws {
        let name = try #require(HostName(name))
        #expect(self.gives(line, name) == gives)
    }

    @Test(arguments: ["", "\n", "# 127.0.0.1 localhost", "localhost 127.0.0.1", "fe80::1%eth0 scoped", "1.2.3 a"])
    func `a line without an address gives nothing`(line: String) throws {
        #expect(gives(line, try #require(HostName("localhost"))) == nil)
    }

    @Test func `the first name is the canonical one`() {
        #expect(canonicalName("192.0.2.1 first second") == "first")
        #expect(canonicalName("192.0.2.1 ") == nil)
    }

    private func gives(_ line: String, _ name: HostName) -> Bool? {
        HostsLine(Array(line.utf8).span)?.gives(name)
    }

    private func canonicalName(_ line: String) -> String? {
        HostsLine(Array(line.utf8).span)?.canonicalName?.description
    }
}
