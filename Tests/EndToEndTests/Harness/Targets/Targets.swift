import Foundation
import TestProxy
import Testing

/// How a program names its target.
enum Way: String, CaseIterable, CustomTestStringConvertible {
    case name, ipv4, ipv6

    /// The host as a program takes it.
    var host: String {
        switch self {
        case .name: "web.test"
        case .ipv4: "203.0.113.10"
        case .ipv6: "2001:db8::10"
        }
    }

    /// The host in a URL.
    var urlHost: String { self == .ipv6 ? "[\(host)]" : host }
    var testDescription: String { rawValue }
}

/// The TCP servers at 203.0.113.10 and 2001:db8::10, each started once.
actor Targets {
    static let shared = Targets()
    static let httpPort = 8080
    static let echoPort = 7007
    static let bannerPort = 2121
    static let sshPort = 2222
    static let redisPort = 6379
    /// A port at which nothing listens.
    static let closedPort = 9

    private var tasks: [String: Task<Void, any Error>] = [:]
    private var servers: [TargetServer] = []
    private var daemons: [Daemon] = []

    /// Runs `start` once.
    private func once(_ name: String, _ start: @escaping @Sendable () async throws -> Void) async throws {
        if let task = tasks[name] { return try await task.value }
        let task = Task(operation: start)
        tasks[name] = task
        try await task.value
    }

    private func keep(_ server: TargetServer) { servers.append(server) }
    private func keep(_ daemon: Daemon) { daemons.append(daemon) }

    func echo() async throws {
        try await once("echo") {
            await self.keep(try await TargetServer.start(.echo, host: "::", port: Targets.echoPort))
        }
    }

    func banner() async throws {
        try await once("banner") {
            let server = try await TargetServer.start(
                .banner(Array("220 ready\r\n".utf8)), host: "::", port: Targets.bannerPort)
            await self.keep(server)
        }
    }

    /// A web server. It serves a bare repository under /repository.git, and answers any other request with a
    /// description of it.
    func http() async throws {
        try await once("http") {
            let root = try await Targets.makeRepository()
            let answer: @Sendable (HTTPRequest) -> HTTPResponse = { request in
                guard request.target.hasPrefix("/repository.git/") else {
                    return HTTPResponse.description(of: request)
                }
                let path = request.target.prefix { $0 != "?" }
                guard let data = FileManager.default.contents(atPath: root + path) else {
                    return HTTPResponse(status: "404 Not Found", body: [])
                }
                return HTTPResponse(type: "application/octet-stream", body: Array(data))
            }
            await self.keep(try await TargetServer.start(.http(answer), host: "::", port: Targets.httpPort))
        }
    }

    func redis() async throws {
        try await once("redis") {
            let directory = try Machine.temporaryDirectory("redis").path
            let command = [
                "redis-server", "--port", "\(Targets.redisPort)", "--bind", "203.0.113.10", "2001:db8::10",
                "--protected-mode", "no", "--save", "", "--dir", directory, "--daemonize", "no",
            ]
            await self.keep(try await Daemon(command, host: "203.0.113.10", port: Targets.redisPort))
        }
    }

    /// The options with which ssh reaches the server of `sshd()`.
    struct SSH: Sendable {
        var options: [String]
    }

    /// An SSH server at every address of the targets.
    func sshd() async throws -> SSH {
        try Machine.needsRoot("sshd becomes another user, which needs root of the machine")
        let directory = Machine.scratch.appending(path: "ssh").path
        try await once("sshd") {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            for key in ["host", "user"] {
                let run = try await Client.start(
                    ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "\(directory)/\(key)"], limit: 20)
                try #require(run.status == 0, "\(run)")
            }
            try FileManager.default.copyItem(
                atPath: "\(directory)/user.pub", toPath: "\(directory)/authorized_keys")
            try """
            Port \(Targets.sshPort)
            HostKey \(directory)/host
            AuthorizedKeysFile \(directory)/authorized_keys
            PermitRootLogin yes
            PasswordAuthentication no
            UsePAM no
            StrictModes no
            PidFile none
            UseDNS no
            MaxStartups 100
            """.write(toFile: "\(directory)/config", atomically: false, encoding: .utf8)
            let command = ["/usr/sbin/sshd", "-D", "-e", "-f", "\(directory)/config"]
            await self.keep(try await Daemon(command, host: "203.0.113.10", port: Targets.sshPort))
        }
        return SSH(options: [
            "-F", "none", "-i", "\(directory)/user", "-p", "\(Targets.sshPort)", "-o", "BatchMode=yes", "-o",
            "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        ])
    }

    private static func makeRepository() async throws -> String {
        let root = try Machine.temporaryDirectory("web").path
        let script = """
            set -e
            export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=/nonexistent
            git init -q -b main work && cd work && echo content >file && git add file
            git -c user.name=Test -c user.email=test@web.test commit -q -m 'A commit to be cloned'
            git clone -q --bare . ../repository.git && git -C ../repository.git update-server-info
            """
        let run = try await Client.start(["env", "-C", root, "sh", "-c", script], limit: 30)
        try #require(run.status == 0, "\(run)")
        return root
    }
}
