import Addressing
import SocksifyTool
import Testing

@Suite struct DestinationTests {
    @Test(
        arguments: [
            ("example.org", "example.org", nil), ("example.org:443", "example.org", 443), ("10.0.0.1:1", "10.0.0.1", 1),
            ("::1", "::1", nil), ("[::1]:65535", "::1", 65535), ("[2001:db8::1]", "2001:db8::1", nil),
            ("::ffff:10.0.0.1", "10.0.0.1", nil),
        ] as [(String, String, UInt16?)])
    func hostsAndPorts(text: String, host: String, port: UInt16?) throws {
        let destination = try Destination(text)
        #expect(destination.host.description == host)
        #expect(destination.port == port)
    }

    @Test(arguments: [
        "", ":", ":80", "a:", "a:0", "a:65536", "a:+1", "a:b", "a b", "https://a", "[a]:1", "[::1]1", "[::1", "a:1:2",
        "a\n", String(repeating: "a", count: 256),
    ])
    func mistakes(text: String) {
        #expect(throws: Failure.self) { try Destination(text) }
    }
}
