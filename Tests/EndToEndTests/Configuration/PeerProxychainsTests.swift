import Foundation
import TestProxy
import Testing

/// The differences between proxychains-ng and socksify, with their reasons.
private let differences = [
    PeerDifference(
        "proxychains-localnet", "10.20.1.10/7070/udp", way: "far", because: "datagrams go around the proxy"),
    PeerDifference(
        "proxychains-defaults", "10.20.0.10/7070/udp", way: "far", because: "datagrams go around the proxy"),
    PeerDifference(
        "proxychains-patience", "web.test/7070", way: "hangs, hangs: nobody",
        because: "the proxy that does not answer is the one to be left out, not the next one"),
    PeerDifference(
        "proxychains-http", "2001:db8::10/7070", way: "K: nobody",
        because: "HTTP proxies want brackets around an IPv6 address"),
    PeerDifference(
        "proxychains-too-long", "web.test/7070", way: "nobody",
        because: "where no connection can be made no address needs to be given out"),
    PeerDifference(
        "proxychains-turns", "web.test/7070", "203.0.113.10/7071", "web.test/7070", "203.0.113.10/7070",
        way: "A > B > web.test:7070: far; C > A > 203.0.113.10:7071: far; "
            + "A > B > web.test:7070: far; C > A > 203.0.113.10:7070: far",
        because: "a chain begins behind the last proxy of the one before it, as its own file says"),
    PeerDifference(
        "proxychains-strict", "localhost/7070", way: "A > U(alice) > C > 127.0.0.1:7070: far",
        because: "this machine's names have their addresses in libc's order, of both versions of IP"),
]

/// Runs the command that follows, with the daemon that gives out addresses for names.
private let withDaemon = [
    "sh", "-c",
    """
    proxychains4-daemon -i 127.0.0.1 -p 1053 -r 224 & daemon=$!
    until grep -q ' 0100007F:041D ' /proc/net/udp; do :; done
    proxychains4 "$@"; status=$?
    kill $daemon; exit $status
    """, "sh",
]

extension EndToEnd {
    /// Files of proxychains-ng, which socksify reads unchanged.
    @Suite struct PeerProxychainsTests {
        private static let variable = "PROXYCHAINS_CONF_FILE"

        /// The keywords that the files must contain together: all of proxychains-ng's.
        private static let keywords: Set<Substring> = [
            "strict_chain", "dynamic_chain", "random_chain", "round_robin_chain", "chain_len", "proxy_dns",
            "proxy_dns_old", "proxy_dns_daemon", "remote_dns_subnet", "tcp_read_time_out", "tcp_connect_time_out",
            "localnet", "dnat", "quiet_mode", "ProxyList", "socks5", "socks4", "http", "raw",
        ]

        @Test func `Every keyword is in a file`() throws {
            #expect(try Self.keywords.subtracting(PeerFile.words(of: "proxychains")) == [])
        }

        @Test(arguments: PeerFile.all(of: "proxychains"))
        func `A file means the same to both`(file: PeerFile) async throws {
            let needsDaemon = file.name == "proxychains-daemon"
            try await file.compare(
                under: needsDaemon ? withDaemon : ["proxychains4"], file: Self.variable, socksify: Self.variable,
                differences: differences)
        }

        @Test func `The file that comes with proxychains-ng means the same to both`() async throws {
            let text = try String(contentsOfFile: "/etc/proxychains4.conf", encoding: .utf8)
            let place = "127.0.0.1 9050"
            try #require(text.contains(place))
            let folder = try Machine.temporaryDirectory()
            for (suffix, text) in [
                (".conf", text.replacing(place, with: "\(Machine.proxyIPv4) 11031")),
                (
                    ".ways",
                    """
                    web.test/7070           V > web.test:7070: far
                    web.test/7070/network   network 224
                    known.example/7070      V > 198.51.100.10:7070: far
                    203.0.113.10/7071       V > 203.0.113.10:7071: far
                    10.20.0.10/7070         V > 10.20.0.10:7070: far
                    127.0.0.1/7070          V > 127.0.0.1:7070: far
                    0.0.0.0/7070            nobody
                    203.0.113.10/9          V > 203.0.113.10:9: nobody
                    """
                ),
            ] {
                try text.write(to: folder.appending(path: "proxychains4\(suffix)"), atomically: false, encoding: .utf8)
            }
            try await PeerFile(name: "proxychains4", folder: folder.path)
                .compare(under: ["proxychains4"], file: Self.variable, socksify: Self.variable)
        }

        /// With chains of one proxy, one of the proxies is down, and the program must not notice.
        @Test(arguments: [1, 2]) func `Random chains are all that there can be`(length: Int) async throws {
            let places = ["A": 11001, "B": 11002, "C": 11003]
            let text = """
                random_chain
                chain_len = \(length)
                proxy_dns
                [ProxyList]
                \(places.values.map { "socks5 \(Machine.proxyIPv4) \($0)" }.joined(separator: "\n"))
                \(length == 1 ? "socks5 \(Machine.proxyIPv4) 11009" : "")
                """
            let file = try Machine.file(text, name: "proxychains.conf")
            let starts = places.keys.flatMap { first in
                length == 1 ? [first] : places.keys.filter { $0 != first }.map { "\(first) > \($0)" }
            }
            let expected = Set(starts.map { "\($0) > web.test:7070: far" })
            // The probability that one of six chains is missing among 150 is about 10⁻¹¹.
            let targets = [String](repeating: "web.test/\(PeerNetwork.port)", count: 150)
            try await PeerProxies.during(PeerProxies.common) { proxies in
                for wrapper in [["proxychains4"], ["env", "LD_PRELOAD=\(Machine.library)"]] {
                    let ways = try await proxies.ways(
                        of: PeerNetwork.command(wrapper, targets: targets, environment: [Self.variable: file]))
                    #expect(Set(ways.components(separatedBy: "; ")) == expected, "\(wrapper)")
                }
            }
        }

        @Test func `A file is named to both commands, which are told to be quiet`() async throws {
            let file = try Machine.file(
                "strict_chain\nproxy_dns\n[ProxyList]\nsocks5 \(Machine.proxyIPv4) 11001\n", name: "proxychains.conf")
            try await PeerProxies.during(PeerProxies.common) { proxies in
                for command in ["proxychains4", Machine.tool] {
                    let ways = try await proxies.ways(
                        of: PeerNetwork.command([command, "-q", "-f", file], targets: ["web.test/7070"]), isSilent: true
                    )
                    #expect(ways == "A > web.test:7070: far", "\(command)")
                }
            }
        }
    }
}
