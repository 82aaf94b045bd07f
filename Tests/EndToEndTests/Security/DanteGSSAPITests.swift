import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Dante's server with GSSAPI (RFC 1961), with large files, and programs of several kinds.
    @Suite struct DanteGSSAPITests {
        private static let filesPort = 8091
        private static let size = 100_000_000

        private static let files = Task {
            try await Daemon(
                ["python3", Program.source("Kerberos/files.py"), "203.0.113.10", "\(filesPort)"], host: "203.0.113.10",
                port: filesPort)
        }

        private func run(
            _ command: [String], _ port: Int, _ parameters: String, input: String = ""
        ) async throws -> Run {
            try await Client.run(
                command, proxy: "socks5://proxy.test:\(port)?\(parameters)",
                environment: KerberosRealm.shared.user(), input: input, carriesDatagrams: true)
        }

        @Test(arguments: [
            ("clear", "gssapi=none", "rcmd"), ("integrity", "gssapi=integrity", "rcmd"),
            ("confidentiality", "gssapi=confidentiality", "rcmd"),
            ("clear integrity confidentiality", "gssapi=confidentiality&service=socks", "socks"),
            ("integrity", "gssapi=integrity&nec", "rcmd"),
        ]) func `A large file is the same at the other end, both ways`(
            levels: String, parameters: String, service: String
        ) async throws {
            _ = try await Self.files.value
            let port = try await KerberosRealm.shared.danted(
                levels, service: service, usesNECForm: parameters.hasSuffix("nec"))
            let script = """
                curl -sS "http://203.0.113.10:$1/$2" | tee "$3" | sha256sum | cut -d" " -f1
                curl -sS -T "$3" "http://203.0.113.10:$1/"
                """
            let file = try Machine.temporaryDirectory().appending(path: "file").path
            let run = try await run(
                ["bash", "-c", script, "bash", "\(Self.filesPort)", "\(Self.size)", file], port, parameters)
            let expected = try await Client.start(
                [
                    "python3", "-c",
                    "import hashlib; piece = bytes(range(256)) * 256; print(hashlib.sha256((piece * 1526)[:\(Self.size)]).hexdigest())",
                ], limit: 60
            ).output
            #expect(run.status == 0 && run.error.isEmpty, "\(run)")
            #expect(run.output == expected + expected.dropLast(), "\(run)")
        }

        @Test(arguments: ["integrity", "confidentiality"])
        func `Every call that reads or writes does what it does without encapsulation`(level: String) async throws {
            try await Targets.shared.echo()
            let file = try Machine.temporaryDirectory().appending(path: "file").path
            let run = try await run(
                ["python3", Program.source("Kerberos/streams.py"), "203.0.113.10", "\(Targets.echoPort)", file],
                KerberosRealm.shared.danted(level), "gssapi=\(level)")
            #expect(run.status == 0 && run.error.isEmpty && !run.output.contains(" NO\n"), "\(run)")
        }

        @Test(arguments: [("integrity", "confidentiality"), ("confidentiality", "integrity"), ("clear", "integrity")])
        func `A level that it does not accept is told`(accepted: String, asked: String) async throws {
            let port = try await KerberosRealm.shared.danted(accepted)
            let run = try await run(
                ["curl", "-sS", "http://203.0.113.10:\(Self.filesPort)/1"], port, "gssapi=\(asked)")
            #expect(run.status == 7, "\(run)")
            #expect(run.error.contains("closed the connection in place of a level of protection"), "\(run)")
        }

        @Test func `Its refusals are told under protection`() async throws {
            let port = try await KerberosRealm.shared.danted("integrity")
            let run = try await run(
                ["curl", "-sS", "http://203.0.113.10:\(Targets.closedPort)/1"], port, "gssapi=integrity")
            #expect(run.status == 7 && run.error.contains("Couldn't connect to server"), "\(run)")
        }
    }
}
