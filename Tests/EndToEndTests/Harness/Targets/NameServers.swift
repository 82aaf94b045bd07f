import Foundation
import TestProxy

/// DNS servers on the targets' side, each started once.
enum NameServers {
    /// The address of the honest server, which answers over UDP and TCP.
    static let host = "203.0.113.10"

    /// The honest server. It knows the names below, answers NXDOMAIN for every other name in `test`, and refuses all
    /// other questions.
    static let honest = Task {
        let hosts = """
            127.0.0.1 here.test both.test
            ::1 here.test
            0.0.0.0 nowhere.test
            10.1.2.3 inside.test
            198.18.0.1 reserved.test
            203.0.113.12 both.test

            """
        let texts = (1...8).map { "txt-record=big.test,\"\($0)\(String(repeating: "x", count: 249))\"" }
        let configuration = """
            no-resolv
            no-hosts
            addn-hosts=\(try Machine.file(hosts, name: "dnsmasq.hosts"))
            bind-interfaces
            listen-address=\(host)
            user=root
            group=root
            pid-file=
            local=/test/
            host-record=web.test,203.0.113.10,2001:db8::10
            host-record=other.test,203.0.113.11
            mx-host=web.test,mail.test,10
            txt-record=web.test,"hello from the far side"
            \(texts.joined(separator: "\n"))
            """
        let file = try Machine.file(configuration, name: "dnsmasq.conf")
        return try await Daemon(["dnsmasq", "--no-daemon", "--conf-file=\(file)"], host: host, port: 53)
    }

    /// The answer of `near` for every name outside `near.test`. The address has no route.
    static let far = "192.88.99.7"

    /// A server that the client's side reaches without a proxy. It knows all names: those in `near.test` have its own
    /// address.
    static let near = Task {
        let configuration = """
            no-resolv
            no-hosts
            bind-interfaces
            listen-address=\(Machine.proxyIPv4)
            user=root
            group=root
            pid-file=
            address=/#/\(far)
            address=/near.test/\(Machine.proxyIPv4)
            """
        let file = try Machine.file(configuration, name: "dnsmasq.conf")
        return try await Daemon(
            ["dnsmasq", "--no-daemon", "--conf-file=\(file)"], host: Machine.proxyIPv4, port: 53)
    }

    /// Shell commands that make libc ask that server, in a mount namespace of their own.
    static let askingNear = """
        mount -t tmpfs tmpfs /mnt; echo 'nameserver \(Machine.proxyIPv4)' >/mnt/resolv
        mount --bind /mnt/resolv /etc/resolv.conf
        """

    /// What a bad server does with a question over TCP; the raw values are the words of Programs/Names/nameserver.py.
    enum Fault: String, CaseIterable {
        case hangs, closes, breaksOff, garbage, wrongID, wrongQuestion, slow
    }

    /// Starts a server with this fault at `host` and returns its port.
    static func port(of fault: Fault) async throws -> Int {
        _ = try await bad.value
        return firstPort + (Fault.allCases.firstIndex(of: fault) ?? 0)
    }

    private static let firstPort = 5300
    private static let bad = Task {
        let faults = Fault.allCases
        return try await Daemon(
            ["/usr/bin/python3", Program.source("Names/nameserver.py"), host, "\(firstPort)"] + faults.map(\.rawValue),
            host: host, port: firstPort + faults.count - 1)
    }
}
