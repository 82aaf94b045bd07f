import Foundation
import TestProxy

/// Servers of the DNS on the targets' side, started once.
enum NameServers {
    /// Where the honest one answers, by datagrams and by TCP.
    static let host = "203.0.113.10"

    /// Knows what it is told here, says that nothing else is in `test`, and refuses other questions.
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

    /// The address that `near` has for other names than its own. It has no route.
    static let far = "192.88.99.7"

    /// One that the client's side reaches without a proxy, which knows all names: those in `near.test` as its own address.
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

    /// Shell commands that have libc ask that server, in a mount namespace of their own.
    static let askingNear = """
        mount -t tmpfs tmpfs /mnt; echo 'nameserver \(Machine.proxyIPv4)' >/mnt/resolv
        mount --bind /mnt/resolv /etc/resolv.conf
        """

    /// What a bad server does with a question that comes by TCP; Programs/Names/nameserver.py has the words.
    enum Fault: String, CaseIterable {
        case hangs, closes, breaksOff, garbage, wrongID, wrongQuestion, slow
    }

    /// The port of a server with this fault, at `host`.
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
