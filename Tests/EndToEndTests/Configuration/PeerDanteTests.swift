import TestProxy
import Testing

/// The differences between Dante's client and socksify, with their reasons.
private let differences = [
    PeerDifference(
        "plain", "known.example/7070", way: "A > known.example:7070: nobody",
        because: "who writes a name into the hosts file means the address there; the proxy cannot know it"),
    PeerDifference("plain", "2001:db8::10/7070", way: "nobody", because: "IPv6 goes direct"),
    PeerDifference("plain", "fd20::10/7070", way: "far", because: "IPv6 goes direct"),
    PeerDifference(
        "plain", "0.0.0.0/7070", way: "A > 0.0.0.0:7070: far",
        because: "0.0.0.0 is this machine, and would be the proxy's to the proxy"),
    PeerDifference(
        "plain", "0.0.0.0/7080/listen", way: "A > BIND 0.0.0.0:7080: may not listen",
        because: "listening through a proxy is not offered"),
    PeerDifference(
        "direct", "printer.lan.example/7070", way: "nobody",
        because: "names that are reached directly are looked up, whatever addresses are made up for the others"),
    PeerDifference(
        "direct", "scanner.lan.example/7071", way: "nobody",
        because: "names that are reached directly are looked up, whatever addresses are made up for the others"),
    PeerDifference(
        "names-by-tcp", "web.test/7070", way: "A > web.test:7070: far",
        because: "its questions go around the proxy, where nobody answers them"),
    PeerDifference(
        "names-by-tcp", "none.test/7070", way: "A > none.test:7070: nobody",
        because: "its questions go around the proxy, where nobody answers them"),
    PeerDifference(
        "socks4", "web.test/7070", way: "nobody",
        because: "most SOCKS4 proxies take names (SOCKS4a)"),
    PeerDifference(
        "environment-socks4", "web.test/7070", way: "nobody",
        because: "most SOCKS4 proxies take names (SOCKS4a)"),
    PeerDifference(
        "environment-socks", "web.test/7070", way: "V: nobody",
        because: "a proxy is not tried with another protocol than its own"),
    PeerDifference(
        "domains", "notcorp.example/7070", way: "B > notcorp.example:7070: far",
        because: "a name that merely ends in the letters of a domain is not within it"),
    PeerDifference(
        "several", "203.0.113.10/7070", "203.0.113.10/7070", "203.0.113.10/7071",
        way: "B > 203.0.113.10:7070, B > 203.0.113.10:7071: nobody, far, far",
        because: "the connection that finds a proxy dead goes on to the next one by itself"),
    PeerDifference(
        "several", "web.test/7070", "web.test/7070", "web.test/7070",
        way: "B > web.test:7070, B > web.test:7070: nobody, far, far",
        because: "the connection that finds a proxy dead goes on to the next one by itself"),
]

extension EndToEnd {
    /// Files of Dante's client, and files with the same meaning for socksify.
    @Suite struct PeerDanteTests {
        /// The keywords that the files must contain together: all of Dante's, without GSSAPI and UPnP.
        private static let keywords: Set<Substring> = [
            "debug", "logoutput", "resolveprotocol", "fake", "tcp", "udp", "route.maxfail", "route.badexpire",
            "timeout.connect", "route", "from", "to", "via", "direct", ".", "port", "=", "!=", ">=", "<=", "<", ">",
            "eq",
            "ne", "ge", "le", "lt", "gt", "-", "command", "connect", "bind", "bindreply", "udpassociate", "udpreply",
            "protocol", "proxyprotocol", "socks_v4", "socks_v5", "http", "method", "none", "username", "SOCKS_SERVER",
            "SOCKS4_SERVER", "SOCKS5_SERVER", "HTTP_CONNECT_PROXY", "SOCKS_USERNAME", "SOCKS_PASSWORD", "SOCKS_DEBUG",
            "SOCKS_LOGOUTPUT", "SOCKS_AUTOADD_LANROUTES",
        ]

        @Test func `Every keyword is in a file`() throws {
            #expect(try Self.keywords.subtracting(PeerFile.words(of: "dante")) == [])
        }

        @Test(arguments: PeerFile.all(of: "dante"))
        func `A file is told to socksify by another`(file: PeerFile) async throws {
            try await file.compare(under: ["/usr/bin/socksify"], file: "SOCKS_CONF", differences: differences)
        }
    }
}
