import Foundation
import TestProxy
import Testing

/// The proxy servers for tests with real programs.
enum ProxyKind: String, CaseIterable, CustomTestStringConvertible {
    case microsocks
    case danted
    case dantedWithUser = "danted with user name"
    case dantedSOCKS4 = "danted by SOCKS4"
    case tinyproxy
    /// SOCKS4, HTTP, SOCKS5.
    case chain = "a chain of danted, tinyproxy and microsocks"
    case sshDynamic = "ssh -D"
    case testProxy = "test proxy"
    case testProxyWithUser = "test proxy with user name"
    case testProxyIPv6 = "test proxy over IPv6"
    case testProxyAtPath = "test proxy at a Unix-domain socket"

    /// The kinds of target that the proxy reaches. SOCKS4 has no IPv6, and Dante does not know SOCKS4a.
    var ways: [Way] { self == .dantedSOCKS4 ? [.ipv4] : Way.allCases }

    var testDescription: String { rawValue }
}

/// Runs each server once for all tests.
actor Proxies {
    static let shared = Proxies()

    private var running: [ProxyKind: Task<String, any Error>] = [:]
    private var daemons: [Daemon] = []
    private var kept: [TestProxy] = []

    /// The URL of a server, started at its first use.
    func url(_ kind: ProxyKind) async throws -> String {
        if kind == .sshDynamic { try Machine.needsRoot("sshd becomes another user, which needs root of the machine") }
        if let task = running[kind] { return try await task.value }
        let task = Task { try await self.start(kind) }
        running[kind] = task
        return try await task.value
    }

    private func start(_ kind: ProxyKind) async throws -> String {
        let host = Machine.proxyIPv4
        switch kind {
        case .microsocks:
            daemons.append(try await Daemon(["microsocks", "-i", host, "-p", "1081"], host: host, port: 1081))
            return "socks5://\(host):1081"
        case .danted:
            // By default danted relays answers only from the address and port that a datagram went to; TFTP answers
            // from another port.
            try await startDanted(port: 1082, method: "none", "udp.connectdst: no")
            return "socks5://\(host):1082"
        case .dantedWithUser:
            try await addUser()
            try await startDanted(port: 1083, method: "username")
            return "socks5://socksuser:s%20cret@\(host):1083"
        case .dantedSOCKS4:
            return try await url(.danted).replacing("socks5:", with: "socks4:")
        case .tinyproxy:
            let configuration = try Machine.file(
                """
                Port 1085
                Listen \(host)
                MaxClients 100
                BasicAuth alice s3cret
                """, name: "tinyproxy.conf")
            daemons.append(try await Daemon(["tinyproxy", "-d", "-c", configuration], host: host, port: 1085))
            return "http://alice:s3cret@\(host):1085"
        case .chain:
            return try await [url(.dantedSOCKS4), url(.tinyproxy), url(.microsocks)].joined(separator: ",")
        case .sshDynamic:
            let sshd = try await Targets.shared.sshd()
            let command = ["ssh"] + sshd.options + ["-N", "-D", "\(host):1084", "root@203.0.113.11"]
            daemons.append(try await Daemon(command, host: host, port: 1084))
            return "socks5://\(host):1084"
        case .testProxy:
            let proxy = try await TestProxy.start(host: host)
            kept.append(proxy)
            return "socks5://\(host):\(proxy.port)"
        case .testProxyWithUser:
            let script = Script.with { $0.credentials = Credentials(user: "al:ice", password: "p@ss/word") }
            let proxy = try await TestProxy.start(host: host, script: script)
            kept.append(proxy)
            return "socks5://al%3Aice:p%40ss%2Fword@\(host):\(proxy.port)"
        case .testProxyIPv6:
            let proxy = try await TestProxy.start(host: Machine.proxyIPv6)
            kept.append(proxy)
            return "socks5://[\(Machine.proxyIPv6)]:\(proxy.port)"
        case .testProxyAtPath:
            let path = try Machine.temporaryDirectory("socket").path + "/s"
            kept.append(try await TestProxy.start(unixPath: path))
            return "socks5+unix://\(path)"
        }
    }

    /// Adds a user to the system inside this namespace: danted's users are users of the system.
    private func addUser() async throws {
        let script = """
            set -e
            cp /etc/passwd /etc/shadow . && chmod u+w passwd shadow
            echo 'socksuser:x:4711:4711::/nonexistent:/usr/sbin/nologin' >>passwd
            hash=$(perl -e 'print crypt("s cret", q($6$socksify$))')
            echo "socksuser:$hash:19000:0:99999:7:::" >>shadow
            mount --bind passwd /etc/passwd && mount --bind shadow /etc/shadow
            """
        let run = try await Client.start(
            ["env", "-C", Machine.temporaryDirectory("users").path, "sh", "-c", script], limit: 20)
        guard run.status == 0 else { throw Daemon.Failure(description: "\(run)") }
    }

    private func startDanted(port: Int, method: String, _ lines: String...) async throws {
        let users = "user.privileged: root\nuser.unprivileged: nobody\n"
        let configuration = try Machine.file(
            """
            logoutput: stderr
            internal: \(Machine.proxyIPv4) port = \(port)
            external: 203.0.113.11
            external: 2001:db8::11
            socksmethod: \(method)
            clientmethod: none
            \(lines.joined(separator: "\n"))
            \(Machine.isRoot ? users : "")
            client pass { from: 0/0 to: 0/0 }
            socks pass { from: 0/0 to: 0/0 command: bind connect udpassociate bindreply udpreply }
            """, name: "danted.conf")
        daemons.append(
            try await Daemon(["danted", "-N", "1", "-f", configuration], host: Machine.proxyIPv4, port: port))
    }
}
