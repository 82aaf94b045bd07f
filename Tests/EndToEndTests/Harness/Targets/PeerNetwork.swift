import Foundation
import TestProxy
import Testing

/// The network of the tests that compare peers: what programs reach there, and how the tests tell the ways apart.
///
/// Besides the networks of the namespaces there are some that the client also reaches without a proxy: 10.20.0.0/16,
/// 192.168.7.0/24, 198.51.100.0/24, fd20::/64. So a direct connection arrives, and the tests see it.
enum PeerNetwork {
    static let port = 7070
    /// The addresses that the client also reaches without a proxy.
    private static let shared = ["10.20.0.10", "10.20.1.10", "192.168.7.10", "198.51.100.10", "fd20::10"]
    /// The addresses of names that only the proxies know.
    static let names = [
        "app.corp.example": ["10.20.1.10"], "git.corp.example": ["10.20.0.10"], "corp.example": ["10.20.0.10"],
        "notcorp.example": ["198.51.100.10"], "service.onion": ["198.51.100.10"],
        "jump.corp.example": [Machine.proxyIPv4],
    ]
    /// The lines of the client's hosts file.
    private static let hosts = """
        127.0.0.1 localhost
        ::1 localhost ip6-localhost
        198.51.100.10 known.example
        10.20.0.10 printer.lan.example
        10.20.1.10 scanner.lan.example

        """

    /// Starts the servers that answer "far" at every address beyond the proxies and "near" on the client's own machine,
    /// and writes the files by which that machine finds names: its name server is beyond the proxies, too.
    private static let servers = Task {
        try await prepare()
        var daemons: [Daemon] = []
        for port in [port, port + 1] {
            let addresses = shared + ["203.0.113.10", "2001:db8::10", "127.0.0.1"]
            daemons.append(
                try await Daemon(
                    ["/usr/bin/python3", Program.source("answering.py"), "far", "\(port)"] + addresses,
                    host: "127.0.0.1", port: port))
        }
        let client = ["nsenter", "--net=\(try #require(Machine.clientDirectory))/net"]
        daemons.append(
            try await Daemon(
                client + ["/usr/bin/python3", Program.source("answering.py"), "near", "\(port)", "127.0.0.1"],
                host: "10.99.0.2", port: port))
        _ = try await NameServers.honest.value
        return (
            daemons, hosts: try Machine.file(hosts, name: "hosts"),
            nameServers: try Machine.file("nameserver \(NameServers.host)\noptions attempts:1\n", name: "resolv.conf")
        )
    }

    /// Gives the targets' side the addresses, and the client routes to them.
    private static func prepare() async throws {
        let client = ["nsenter", "--net=\(try #require(Machine.clientDirectory))/net"]
        for address in shared {
            let isIPv6 = address.contains(":")
            let length = isIPv6 ? ["/128", "nodad"] : ["/32"]
            let words = ["ip", "address", "add", address + length[0], "dev", "lo"] + length.dropFirst()
            try await succeed(words)
            try await succeed(
                client + ["ip", "route", "add", address, "via", isIPv6 ? Machine.proxyIPv6 : Machine.proxyIPv4])
        }
    }

    private static func succeed(_ command: [String]) async throws {
        let run = try await Client.start(command, limit: 20)
        try #require(run.status == 0, "\(command): \(run)")
    }

    /// A command that runs the probe on the client's side with the hosts of this network.
    ///
    /// - Parameter wrapper: the command that starts the probe.
    static func command(
        _ wrapper: [String] = [], targets: [String], environment: [String: String] = [:]
    ) async throws -> [String] {
        let servers = try await servers.value
        let client = try #require(Machine.clientDirectory)
        let mounts = "mount --bind \(servers.hosts) /etc/hosts; mount --bind \(servers.nameServers) /etc/resolv.conf; "
        let home = try Machine.temporaryDirectory("home").path
        let variables = ["PATH": Machine.path, "HOME": home, "LC_ALL": "C"].merging(environment) { $1 }
        return ["nsenter", "--net=\(client)/net", "--mount=\(client)/mnt", "--wd=\(home)", "unshare", "--mount"]
            + ["sh", "-ec", mounts + "exec \"$@\"", "sh", "env", "-i"]
            + variables.map { "\($0.key)=\($0.value)" } + wrapper + [try await CallProbe.path(of: "routes")] + targets
    }
}
