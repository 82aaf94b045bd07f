import Foundation
import Synchronization
import TestProxy
import Testing

/// The UDP servers at the addresses of the targets, each started once.
enum DatagramTargets {
    static let host = "203.0.113.10"
    static let echoPort = 7007
    static let perfPort = 5201
    static let quicPort = 4433
    /// The servers' well-known ports.
    static let filePort = 69
    static let timePort = 123

    /// Echo servers, one for each address: a server for all addresses would answer from any of them.
    static let echo = Task {
        var servers: [DatagramServer] = []
        for host in [host, "2001:db8::10"] {
            servers.append(try await DatagramServer.start(host: host, port: echoPort))
        }
        return servers
    }

    static let perf = Task {
        try await Daemon(["iperf3", "-s", "-B", host, "-p", "\(perfPort)"], host: host, port: perfPort)
    }

    /// An NTP server (RFC 5905). Its time is always 2001-02-03 04:05:06 UTC.
    static let time = Task {
        try await DatagramServer.start(host: host, port: timePort) { query, _ in
            guard query.count >= 48 else { return [] }
            let now: [UInt8] = [0xbe, 0x25, 0x4b, 0xe2, 0, 0, 0, 0]
            // Version 4, server; stratum 1; as precise as 2^-20 s; no delay, no dispersion; and a clock of a kind.
            let start: [UInt8] = [0x24, 1, 6, 0xec] + Array(repeating: 0, count: 8) + Array("TEST".utf8)
            return [start + now + query[40..<48] + now + now]
        }
    }

    /// A TFTP server (RFC 1350) with one file. It answers from another port than the one that the request went to.
    struct Files: Sendable {
        var daemon: Daemon
        var name = "file"
        var content: Data
    }

    static let files = Task {
        let directory = try Machine.temporaryDirectory("tftp")
        let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 % 251) })
        try content.write(to: directory.appending(path: "file"))
        let command = [
            "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--enable-tftp",
            "--tftp-root=\(directory.path)", "--listen-address=\(host)", "--bind-interfaces",
        ]
        return Files(daemon: try await Daemon(command, host: host, port: filePort, .udp), content: content)
    }

    /// A QUIC server and the file of its certificate.
    struct QUIC: Sendable {
        var daemon: Daemon
        var certificate: String
    }

    static let quic = Task {
        let directory = try Machine.temporaryDirectory("quic").path
        let (key, certificate) = ("\(directory)/key", "\(directory)/certificate")
        let run = try await Client.start(
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
                "-keyout", key, "-out", certificate, "-subj", "/CN=web.test", "-addext",
                "subjectAltName=DNS:web.test",
            ], limit: 20)
        try #require(run.status == 0, "\(run)")
        let command = quicCommand("serve", [host, "\(quicPort)", certificate, key])
        return QUIC(
            daemon: try await Daemon(command, host: host, port: quicPort, .udp), certificate: certificate)
    }

    static func quicCommand(_ word: String, _ arguments: [String]) -> [String] {
        [Machine.package.appending(path: ".build/python/bin/python3").path, Program.source("Datagrams/quic.py"), word]
            + arguments
    }

    /// The Java program, compiled once.
    static let java = Task {
        let directory = try Machine.temporaryDirectory("java").path
        let run = try await Client.start(
            ["javac", "-cp", directory, "-d", directory, Program.source("Datagrams/Exchange.java")], limit: 120)
        try #require(run.status == 0, "\(run)")
        return directory
    }
}

/// A server that receives datagrams and answers none. The creation of a file tells a shell that the first has come.
final class DatagramSink: Sendable {
    let port: Int
    let file: String
    private let server: DatagramServer
    private let received: Arrivals

    private final class Arrivals: Sendable {
        let texts = Mutex<[String]>([])
    }

    init() async throws {
        let file = try Machine.temporaryDirectory("sink").appending(path: "arrived").path
        let received = Arrivals()
        server = try await DatagramServer.start(host: DatagramTargets.host) { datagram, _ in
            received.texts.withLock { $0.append(String(decoding: datagram, as: UTF8.self)) }
            _ = FileManager.default.createFile(atPath: file, contents: nil)
            return []
        }
        (self.file, self.received, port) = (file, received, server.port)
    }

    var texts: [String] { received.texts.withLock { $0 } }
}
