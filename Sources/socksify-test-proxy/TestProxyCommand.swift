import ArgumentParser
import Foundation
import TestProxy

/// The test proxy as a program, with small servers to reach through it.
@main
struct TestProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "socksify-test-proxy",
        abstract: "A proxy for demonstrations, benchmarks and tests. Not for the open network.",
        discussion: """
            It listens until it is ended by a signal, and prints "listening on ADDRESS" for each address once all \
            are ready.
            """)

    @Option(help: "What to speak; raw leads every connection to the target.")
    var `protocol` = ProtocolName.socks5

    @Option(help: ArgumentHelp("Where the raw protocol leads.", valueName: "host:port"))
    var target: ListenAddress?

    @Option(help: ArgumentHelp("Serve at this address; port 0 takes a free one.", valueName: "host:port"))
    var listen = ListenAddress(host: "127.0.0.1", port: 1080)

    @Option(help: ArgumentHelp("Serve at this Unix-domain socket instead.", valueName: "path"))
    var unix: String?

    @Option(help: "Ask for this user name.")
    var user: String?

    @Option(help: "Ask for this password; SOCKS4 has none.")
    var password: String?

    @Option(help: ArgumentHelp("Resolve a name to an address; repeatable.", valueName: "name=address"))
    var resolve: [NameTableEntry] = []

    @Option(help: ArgumentHelp("Wait so long before each message.", valueName: "ms"))
    var delay = 0

    @Option(help: ArgumentHelp("Send each byte of the handshake alone, so far apart.", valueName: "ms"))
    var split: Int?

    @Option(help: ArgumentHelp("Answer every request with this code.", valueName: "code"))
    var reply: UInt16?

    @Option(help: ArgumentHelp("Close each connection after so many bytes.", valueName: "bytes"))
    var closeAfter: Int?

    @Option(help: ArgumentHelp("Say nothing more after so many bytes.", valueName: "bytes"))
    var hangAfter: Int?

    @Flag(inversion: .prefixedNo, help: "Relay datagrams, too.")
    var udp = true

    @Flag(help: "Resolve names and addresses on request, as Tor does.")
    var tor = false

    @Flag(help: "Print a line for each session.")
    var log = false

    @Option(help: ArgumentHelp("Also serve web pages at this address; repeatable.", valueName: "host:port"))
    var web: [ListenAddress] = []

    @Option(help: ArgumentHelp("Also send back whatever comes to this address; repeatable.", valueName: "host:port"))
    var echo: [ListenAddress] = []

    @Option(
        help: ArgumentHelp(
            "Also send back the datagrams that come to this address; repeatable.", valueName: "host:port"))
    var udpEcho: [ListenAddress] = []

    @Option(help: ArgumentHelp("When ready, write a line to this descriptor and close it.", valueName: "fd"))
    var readyFd: Int32?

    func validate() throws {
        guard user == nil ? password == nil : `protocol` == .socks4 || password != nil else {
            throw ValidationError("--user and --password go together.")
        }
        guard (`protocol` == .raw) == (target != nil) else {
            throw ValidationError("--protocol raw and --target go together.")
        }
        guard `protocol` == .http || reply.map({ $0 <= 255 }) ?? true else {
            throw ValidationError("--reply is at most 255, but for HTTP.")
        }
        guard closeAfter == nil || hangAfter == nil else {
            throw ValidationError("--close-after and --hang-after exclude each other.")
        }
    }

    func run() async throws {
        let report: @Sendable (Session) -> Void = { say("\($0)") }
        let proxy: TestProxy
        var lines: [String]
        if let unix {
            proxy = try await TestProxy.start(unixPath: unix, script: script, report: log ? report : nil)
            lines = ["listening on unix:\(proxy.host)"]
        } else {
            proxy = try await TestProxy.start(
                host: listen.host, port: listen.port, script: script, report: log ? report : nil)
            lines = ["listening on \(ListenAddress(host: proxy.host, port: proxy.port))"]
        }
        var servers: [TargetServer] = []
        for (addresses, behaviour, name) in [
            (web, TargetServer.Behaviour.http(HTTPResponse.description), "web server"), (echo, .echo, "echo server"),
        ] {
            for address in addresses {
                let server = try await TargetServer.start(behaviour, host: address.host, port: address.port)
                lines.append("\(name) on \(ListenAddress(host: server.host, port: server.port))")
                servers.append(server)
            }
        }
        var datagramServers: [DatagramServer] = []
        for address in udpEcho {
            let server = try await DatagramServer.start(host: address.host, port: address.port)
            lines.append("UDP echo server on \(ListenAddress(host: server.host, port: server.port))")
            datagramServers.append(server)
        }
        for line in lines { say(line) }
        if let readyFd {
            let handle = FileHandle(fileDescriptor: readyFd, closeOnDealloc: true)
            try handle.write(contentsOf: Data((lines[0] + "\n").utf8))
            try handle.close()
        }
        // Until a signal ends the process, and the servers with it.
        while true { try await Task.sleep(for: .seconds(86400)) }
    }

    private var proxyProtocol: ProxyProtocol {
        switch (`protocol`, target) {
        case (.raw, let target?): .raw(to: Endpoint(Address(target.host), port: UInt16(target.port)))
        case (.socks4, _): .socks4
        case (.http, _): .http
        default: .socks5
        }
    }

    private var script: Script {
        var script = Script()
        script.proxyProtocol = proxyProtocol
        if let user { script.credentials = Credentials(user: user, password: password ?? "") }
        for entry in resolve { script.names[entry.name, default: []].append(entry.address) }
        if !udp { script.commands.remove(.udpAssociate) }
        if tor { script.commands.formUnion([.resolve, .resolvePTR]) }
        script.delay = .milliseconds(delay)
        script.byteInterval = split.map { .milliseconds($0) }
        if `protocol` == .http {
            script.http.status = reply.map(Int.init)
        } else {
            script.replyCode = reply.map(UInt8.init(truncatingIfNeeded:))
        }
        if let closeAfter { script.fault = Script.Fault(.close, after: closeAfter) }
        if let hangAfter { script.fault = Script.Fault(.hang, after: hangAfter) }
        return script
    }
}

/// The protocols by the names that they have on the command line.
enum ProtocolName: String, CaseIterable, ExpressibleByArgument {
    case socks5, socks4, http, raw
}

/// Prints a line at once: somebody waits for it, also at the other end of a pipe.
private func say(_ line: String) {
    try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8))
}

/// `host:port`, an IPv6 address in brackets.
struct ListenAddress: ExpressibleByArgument, CustomStringConvertible {
    var host: String
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        var host = argument[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    var defaultValueDescription: String { description }
}

/// `name=address`, the name in lower case.
struct NameTableEntry: ExpressibleByArgument {
    var name: String
    var address: String

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        name = parts[0].lowercased()
        address = String(parts[1])
    }
}
