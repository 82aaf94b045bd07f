import TestProxy
import Testing

/// The differences between torsocks and socksify, with their reasons.
private let differences = [
    PeerDifference(
        "plain", "known.example/7070", way: "T > name known.example: no address",
        because: "who writes a name into the hosts file means the address there; Tor cannot know it"),
    PeerDifference(
        "plain", "six.test/7070", way: "T > name six.test: no address",
        because: "Tor reaches IPv6 addresses; programs need not do without them"),
    PeerDifference(
        "plain", "2001:db8::10/7070", way: "nobody",
        because: "Tor reaches IPv6 addresses; programs need not do without them"),
    PeerDifference(
        "plain", "fd20::10/7070", way: "nobody",
        because: "Tor reaches IPv6 addresses; programs need not do without them"),
    PeerDifference(
        "ipv6", "2001:db8::10/7070", way: "nobody",
        because: "an IPv6 socket reaches a Tor at an IPv4 address by its mapped one"),
    PeerDifference(
        "ipv6", "six.test/7070", way: "T > name six.test: no address",
        because: "a name may have an IPv6 address alone"),
    PeerDifference(
        "onion-range", "service.onion/7070/network", way: "network 127",
        because: "addresses of this machine stay its own; any other range will do"),
    PeerDifference(
        "localhost-streams", "::1/7070", way: "nobody",
        because: "::1 is this machine as 127.0.0.1 is"),
]

extension EndToEnd {
    /// Files of torsocks, and files with the same meaning for socksify.
    @Suite struct PeerTorsocksTests {
        /// The keywords that the files must contain together: all of torsocks's.
        private static let keywords: Set<Substring> = [
            "TorAddress", "TorPort", "OnionAddrRange", "SOCKS5Username", "SOCKS5Password", "AllowInbound",
            "AllowOutboundLocalhost", "IsolatePID", "EnableIPv6", "TORSOCKS_TOR_ADDRESS", "TORSOCKS_TOR_PORT",
            "TORSOCKS_USERNAME", "TORSOCKS_PASSWORD", "TORSOCKS_ALLOW_INBOUND", "TORSOCKS_ISOLATE_PID",
            "TORSOCKS_ENABLE_IPV6", "TORSOCKS_LOG_LEVEL", "TORSOCKS_LOG_TIME", "TORSOCKS_LOG_FILE_PATH", "-a", "-P",
            "-u",
            "-p", "-i", "-q",
        ]

        @Test func `Every keyword is in a file`() throws {
            #expect(try Self.keywords.subtracting(PeerFile.words(of: "torsocks")) == [])
        }

        @Test(arguments: PeerFile.all(of: "torsocks"))
        func `A file is told to socksify by another`(file: PeerFile) async throws {
            try await file.compare(under: ["torsocks"], file: "TORSOCKS_CONF_FILE", differences: differences)
        }
    }
}
