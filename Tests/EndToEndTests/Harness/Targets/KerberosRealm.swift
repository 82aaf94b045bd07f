import Foundation
import Testing

/// A realm of Kerberos for the tests, whose KDC only the client's side and the proxies reach: `TEST`, with the user
/// `alice` and the services `rcmd`, `socks` and `lost` at `proxy.test`, the last of which no proxy has a key of.
actor KerberosRealm {
    static let shared = KerberosRealm()

    static let name = "TEST"
    private static let port = 88
    private static let silentPort = 89

    private var start: Task<URL, any Error>?
    private var daemons: [Daemon] = []
    private var nextPort = 14000

    /// The folder of the realm's files, once the KDC answers.
    private func folder() async throws -> URL {
        if let start { return try await start.value }
        let task = Task { try await makeRealm() }
        start = task
        return try await task.value
    }

    private func makeRealm() async throws -> URL {
        let folder = try Machine.temporaryDirectory("kerberos")
        try """
        [libdefaults]
        default_realm = \(Self.name)
        dns_lookup_kdc = false
        dns_lookup_realm = false
        dns_canonicalize_hostname = false
        rdns = false
        kdc_timesync = 0
        [realms]
        \(Self.name) = {
            kdc = \(Machine.proxyIPv4):\(Self.port)
        }
        [domain_realm]
        .test = \(Self.name)
        """.write(to: folder.appending(path: "krb5.conf"), atomically: false, encoding: .utf8)
        // The same for a KDC that does not answer.
        let silent = try String(contentsOf: folder.appending(path: "krb5.conf"), encoding: .utf8)
            .replacing("\(Machine.proxyIPv4):\(Self.port)", with: "\(Machine.proxyIPv4):\(Self.silentPort)")
        try silent.write(to: folder.appending(path: "silent.conf"), atomically: false, encoding: .utf8)
        try """
        [kdcdefaults]
        kdc_listen = \(Machine.proxyIPv4):\(Self.port)
        kdc_tcp_listen = \(Machine.proxyIPv4):\(Self.port)
        [realms]
        \(Self.name) = {
            database_name = \(folder.path)/principal
            key_stash_file = \(folder.path)/stash
            acl_file = \(folder.path)/acl
        }
        """.write(to: folder.appending(path: "kdc.conf"), atomically: false, encoding: .utf8)
        let script = """
            set -e
            : >"$1/acl"
            kdb5_util create -s -r \(Self.name) -P master >/dev/null
            {
                echo addprinc -pw secret alice
                for service in rcmd socks lost; do echo addprinc -randkey $service/proxy.test; done
                for service in rcmd socks; do echo ktadd -k "$1/keytab" $service/proxy.test; done
            } | kadmin.local -r \(Self.name) >/dev/null
            chmod 644 "$1/keytab" "$1"/*.conf
            """
        let run = try await Client.start(
            ["env", "KRB5_CONFIG=\(folder.path)/krb5.conf", "KRB5_KDC_PROFILE=\(folder.path)/kdc.conf"]
                + ["sh", "-c", script, "sh", folder.path], limit: 60)
        try #require(run.status == 0, "\(run)")
        daemons.append(
            try await Daemon(
                [
                    "env", "KRB5_CONFIG=\(folder.path)/krb5.conf", "KRB5_KDC_PROFILE=\(folder.path)/kdc.conf",
                    "krb5kdc", "-n", "-r", Self.name,
                ], host: Machine.proxyIPv4, port: Self.port))
        let silence = """
            import socket, time
            sockets = [socket.socket(type=kind) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
            for each in sockets: each.bind(("\(Machine.proxyIPv4)", \(Self.silentPort)))
            sockets[1].listen(100)
            while True: time.sleep(1000)
            """
        daemons.append(
            try await Daemon(["python3", "-c", silence], host: Machine.proxyIPv4, port: Self.silentPort))
        return folder
    }

    /// The environment of a user, with a cache of his own that has a ticket for the realm and none for a service yet.
    ///
    /// - Parameters:
    ///   - options: further ones of kinit(1).
    ///   - hasTicket: else the cache does not exist.
    ///   - isSilent: whether the KDC that the client knows does not answer.
    func user(
        options: [String] = [], hasTicket: Bool = true, isSilent: Bool = false
    ) async throws -> [String: String] {
        let folder = try await folder()
        let cache = try Machine.temporaryDirectory("cache").appending(path: "cache").path
        if hasTicket {
            let run = try await Client.start(
                ["env", "KRB5_CONFIG=\(folder.path)/krb5.conf", "KRB5CCNAME=FILE:\(cache)", "kinit"] + options
                    + ["alice"], input: "secret\n", limit: 60)
            try #require(run.status == 0, "\(run)")
        }
        return [
            "KRB5_CONFIG": "\(folder.path)/\(isSilent ? "silent" : "krb5").conf", "KRB5CCNAME": "FILE:\(cache)",
        ]
    }

    /// The program of Dante's server with GSSAPI, which scripts/build-dante makes.
    private static var dantesServer: String { Machine.package.appending(path: ".build/dante/sbin/sockd").path }

    /// Starts Dante's server, and gives its port.
    ///
    /// - Parameters:
    ///   - levels: those that it accepts, in its own words.
    ///   - usesNECForm: whether it also takes a level that is sent as a bare octet.
    func danted(_ levels: String, service: String = "rcmd", usesNECForm: Bool = false) async throws -> Int {
        guard FileManager.default.isExecutableFile(atPath: Self.dantesServer) else {
            try Test.cancel("Dante could not be built with GSSAPI")
        }
        let folder = try await folder()
        nextPort += 1
        let port = nextPort
        let key = """
            gssapi.keytab: \(folder.path)/keytab
            gssapi.servicename: \(service)
            gssapi.enctype: \(levels)
            """
        let configuration = try Machine.file(
            """
            logoutput: stderr
            internal: \(Machine.proxyIPv4) port = \(port)
            external: 203.0.113.10
            clientmethod: none
            socksmethod: gssapi
            user.privileged: root
            user.unprivileged: nobody
            client pass {
            from: 0/0 to: 0/0
            \(key)
            \(usesNECForm ? "clientcompatibility: necgssapi" : "")
            }
            socks pass {
            from: 0/0 to: 0/0
            \(key)
            }
            """, name: "danted.conf")
        daemons.append(
            try await Daemon(
                [
                    "env", "KRB5_CONFIG=\(folder.path)/krb5.conf", "KRB5_KTNAME=\(folder.path)/keytab",
                    Self.dantesServer, "-f", configuration, "-p", "\(folder.path)/danted-\(port).pid",
                ], host: Machine.proxyIPv4, port: port))
        return port
    }

    /// Starts a proxy of `Programs/Kerberos`, and gives its port.
    func proxy(_ wrong: String = "") async throws -> Int {
        let folder = try await folder()
        nextPort += 1
        let port = nextPort
        let program = Machine.package.appending(path: "Tests/EndToEndTests/Programs/Kerberos/proxy.py").path
        daemons.append(
            try await Daemon(
                [
                    "env", "KRB5_CONFIG=\(folder.path)/krb5.conf", "KRB5_KTNAME=\(folder.path)/keytab",
                    "python3", "-B", program, Machine.proxyIPv4, "\(port)", wrong,
                ], host: Machine.proxyIPv4, port: port))
        return port
    }
}
