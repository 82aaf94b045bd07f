import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Traffic that no proxy relays goes nowhere.
    @Suite struct ContainmentTests {
        // MARK: Sockets of other protocols

        static let refused: [String] = [
            "raw ICMP: EPERM", "raw TCP: EPERM", "raw UDP with flags: EPERM", "raw: EPERM", "raw6: EPERM",
            "packet: EPERM", "packet datagram: EPERM", "old packet: EPERM", "ICMP: EACCES", "ICMP with flags: EACCES",
            "ICMPv6: EACCES", "SCTP: EPROTONOSUPPORT", "SCTP sequence: EPROTONOSUPPORT",
            "any sequence: EPROTONOSUPPORT", "DCCP: EPROTONOSUPPORT", "UDP-Lite: EPROTONOSUPPORT",
            "UDP-Lite6: EPROTONOSUPPORT", "MPTCP: EPROTONOSUPPORT", "MPTCP6: EPROTONOSUPPORT",
            "L2TP: EPROTONOSUPPORT", "AF_VSOCK: EAFNOSUPPORT", "AF_BLUETOOTH: EAFNOSUPPORT", "AF_X25: EAFNOSUPPORT",
            "AF_RDS: EAFNOSUPPORT", "AF_TIPC: EAFNOSUPPORT", "AF_SMC: EAFNOSUPPORT", "AF_XDP: EAFNOSUPPORT",
            "AF_CAN: EAFNOSUPPORT",
        ]

        @Test func `Sockets of other protocols are refused, and each kind is told of once`() async throws {
            let environment = ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1", "SOCKSIFY_LOG": "warn"]
            let kinds = [
                "raw IP", "packets of a network device", "ICMP", "SCTP", "neither TCP nor UDP", "DCCP", "UDP-Lite",
                "MPTCP", "another network than IP",
            ]
            let lines = kinds.map { "a socket was refused, because no proxy carries its protocol: \($0)" }
            let output = try await CallProbe.run(
                "containment-sockets", ["other"], environment: environment, ending: Ending(errors: .lines(lines)))
            #expect(output.lines == ContainmentTests.refused)
        }

        @Test func `Nobody is told of refused sockets who has not asked`() async throws {
            let output = try await CallProbe.run(
                "containment-sockets", ["other"], environment: ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1"],
                ending: .clean)
            #expect(output.lines == ContainmentTests.refused)
        }

        private static let unreadable =
            "/nonexistent: this configuration file cannot be read; no connection will be made"

        @Test(arguments: ["carried", "other"])
        func `Without a usable configuration the same sockets are refused`(kinds: String) async throws {
            let output = try await CallProbe.run(
                "containment-sockets", [kinds], environment: ["SOCKSIFY_CONF": "/nonexistent"],
                ending: kinds == "other" ? .logging(ContainmentTests.unreadable) : .clean)
            let native = try await CallProbe.run("containment-sockets", [kinds], library: .absent)
            #expect(output.lines == (kinds == "other" ? ContainmentTests.refused : native.lines))
        }

        @Test func `Sockets that a proxy carries, and those of this machine, are made as ever`() async throws {
            let environment = ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1"]
            let output = try await CallProbe.run("containment-sockets", ["carried"], environment: environment)
            let native = try await CallProbe.run("containment-sockets", ["carried"], library: .absent)
            #expect(output.lines == native.lines && output.lines.contains("TCP with flags: 0"))
        }

        @Test func `Sockets that come from elsewhere do not connect direct`() async throws {
            let before = try await Client.outgoing()
            let output = try await TestProxy.during { proxy in
                let output = try await CallProbe.run(
                    "containment-inherited", [FarSide.ipv4, FarSide.echoPort],
                    environment: ["SOCKSIFY_PROXY": proxy.url, "PROBE_LIBRARY": Machine.library], library: .absent)
                #expect(proxy.requests == ["CONNECT \(FarSide.ipv4):\(try await FarSide.echoPort)"])
                return output
            }
            let nowhere = ["sendto", "sendmsg", "sendmmsg", "by number", "connect"]
                .map { "\($0) ENETUNREACH" }.joined(separator: ", ")
            #expect(
                output.lines == [
                    "raw ICMP: \(nowhere)", "raw: \(nowhere)", "raw6: \(nowhere)", "UDP-Lite: \(nowhere)", "MPTCP: 0",
                    "MPTCP: echoed", "passed on: \(nowhere)",
                ])
            #expect(try await Client.outgoing() == before)
        }

        @Test func `Sockets of other protocols are made where they may be direct`() async throws {
            let native = try await CallProbe.run("containment-sockets", ["other"], library: .absent)
            for lines in ["other_protocols direct\n[ProxyList]\nPROXY", "[ProxyList]\nPROXY\n[Rules]\ndirect"] {
                let text = lines.replacingOccurrences(of: "PROXY", with: "socks5 10.99.0.1 1")
                let output = try await ConfigurationText(text).write {
                    try await CallProbe.run("containment-sockets", ["other"], environment: ["SOCKSIFY_CONF": $0])
                }
                #expect(output.lines == native.lines && output.lines.contains("raw: 0"))
            }
        }

        // MARK: Listening

        private let always = [
            "AF_UNIX: 0", "127.0.0.1: 0", "127.0.0.1 by number: 0", "127.7.7.7: 0", "127.7.7.7 by number: 0", "::1: 0",
            "::1 by number: 0", "::ffff:127.0.0.1: 0", "::ffff:127.0.0.1 by number: 0",
        ]

        private func listening(_ outcome: String) -> [String] {
            always + [
                "10.99.0.2: \(outcome)", "10.99.0.2 by number: \(outcome)", "0.0.0.0: \(outcome)",
                "0.0.0.0 by number: \(outcome)", "::: \(outcome)", ":: by number: \(outcome)",
                "IPv4 unbound: \(outcome)", "IPv6 unbound: \(outcome)",
            ]
        }

        @Test func `A program listens where it likes unless it may not`() async throws {
            let output = try await CallProbe.run(
                "containment-listening", ["10.99.0.2"], environment: ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1"])
            #expect(
                output.lines == listening("0") + [
                    "datagrams: EOPNOTSUPP", "no socket: ENOTSOCK", "no descriptor: EBADF",
                ])
        }

        @Test func `Where listening is blocked a program listens to its own machine, and what a rule allows`()
            async throws
        {
            func output(_ rules: String) async throws -> CallProbe.Output {
                try await ConfigurationText("bind block\n[ProxyList]\nsocks5 10.99.0.1 1\n\(rules)").write {
                    try await CallProbe.run(
                        "containment-listening", ["10.99.0.2"],
                        environment: ["SOCKSIFY_CONF": $0, "SOCKSIFY_LOG": "warn"], ending: .logging)
                }
            }
            let blocked = try await output("")
            #expect(
                blocked.lines == listening("EACCES") + [
                    "datagrams: EOPNOTSUPP", "no socket: ENOTSOCK", "no descriptor: EBADF",
                ])
            // With ports that the kernel chose, or none.
            let refused = ["10.99.0.2", "10.99.0.2", "0.0.0.0", "0.0.0.0", "[::]", "[::]", "0.0.0.0", "[::]"]
            func places(_ output: CallProbe.Output) -> [String] {
                output.errorLines.map { $0.replacing(/:\d+$/, with: "") }
            }
            #expect(places(blocked) == refused.map { "socksify: a socket may not listen: \($0)" })
            let allowed = try await output("[Rules]\ndirect command bind net 10.99.0.2")
            #expect(
                allowed.lines.starts(
                    with: listening("EACCES").map {
                        $0.hasPrefix("10.99.0.2") ? $0.replacingOccurrences(of: "EACCES", with: "0") : $0
                    }))
            #expect(places(allowed) == refused.dropFirst(2).map { "socksify: a socket may not listen: \($0)" })
        }

        @Test func `Without a usable configuration a program listens to its own machine alone`() async throws {
            let output = try await CallProbe.run(
                "containment-listening", ["10.99.0.2"], environment: ["SOCKSIFY_CONF": "/nonexistent"],
                ending: .logging(ContainmentTests.unreadable))
            #expect(output.lines.starts(with: listening("EACCES")))
        }

        // MARK: Addresses

        private let port = "7"

        /// The results of connections and datagrams to the addresses, with a proxy that answers "host unreachable"; and
        /// the number of packets that tried to pass it, without datagrams to this machine.
        private func meet(
            _ addresses: [String], lines: String = "udp block"
        ) async throws -> (lines: [String], requests: [String], strays: Int) {
            let before = try await Client.outgoing(countingDatagrams: false)
            return try await TestProxy.during { _ in
                .with { $0.replyCode = 4 }
            } _: { proxy in
                let text = ConfigurationText("\(lines)\n[ProxyList]\nsocks5 10.99.0.1 \(proxy.port)")
                let output = try await text.write {
                    try await CallProbe.run(
                        "containment-addresses", [port] + addresses, environment: ["SOCKSIFY_CONF": $0])
                }
                let strays = try await Client.outgoing(countingDatagrams: false) - before
                return (output.lines, proxy.requests, strays)
            }
        }

        @Test(arguments: [
            // Unique local, 6to4, NAT64, IPv4-compatible, documentation, link-local without a link, site-local.
            "fd12:3456::1", "2002:cb00:710a::1", "64:ff9b::cb00:710a", "::203.0.113.10", "2001:db8::10", "fe80::1",
            "fec0::1", "::ffff:203.0.113.10", "203.0.113.10", "169.254.169.254",
        ])
        func `Every address goes to the proxy as it is`(address: String) async throws {
            let (lines, requests, strays) = try await meet([address])
            let denied = "sendto ENETUNREACH, sendmsg ENETUNREACH, datagrams' connect ENETUNREACH"
            let (isIPv6, isMapped) = (address.contains(":"), address.hasPrefix("::ffff:"))
            // A socket for IPv6 alone cannot reach an IPv4 address.
            let only = isMapped ? "ENETUNREACH" : "EHOSTUNREACH"
            #expect(
                lines == ["\(address): connect EHOSTUNREACH, \(denied)"]
                    + (isIPv6 ? ["\(address) with V6ONLY: \(only)"] : []))
            let host = Address(isMapped ? String(address.dropFirst(7)) : address).description
            let request = "CONNECT \(host.contains(":") ? "[\(host)]" : host):\(port)"
            #expect(requests == Array(repeating: request, count: isIPv6 && !isMapped ? 2 : 1))
            #expect(strays == 0)
        }

        @Test(arguments: ["udp block", "udp associate"])
        func `An address of a link is no proxy's to reach`(policy: String) async throws {
            let (lines, requests, strays) = try await meet(["fe80::1%client", "fe80::1%lo"], lines: policy)
            let nowhere = "sendto ENETUNREACH, sendmsg ENETUNREACH, datagrams' connect ENETUNREACH"
            #expect(
                lines
                    == ["client", "lo"].flatMap {
                        ["fe80::1%\($0): connect ENETUNREACH, \(nowhere)", "fe80::1%\($0) with V6ONLY: ENETUNREACH"]
                    })
            #expect(requests.isEmpty && strays == 0)
        }

        @Test func `An address of a link that localnet names is reached`() async throws {
            let (lines, requests, strays) = try await meet(
                ["fe80::1%lo"], lines: "localnet fe80::/10\nudp block")
            // There is no route to it, so the kernel's error shows that the library asked the kernel.
            #expect(
                lines == [
                    "fe80::1%lo: connect ENETUNREACH, sendto ENETUNREACH, sendmsg ENETUNREACH, datagrams' connect ENETUNREACH",
                    "fe80::1%lo with V6ONLY: ENETUNREACH",
                ])
            #expect(strays > 0)
            #expect(requests.isEmpty)
        }

        @Test func `Addresses of this machine keep to it`() async throws {
            let addresses = ["::ffff:127.0.0.1", "::ffff:0.0.0.0", "::1", "::", "127.0.0.1"]
            let (lines, requests, strays) = try await meet(addresses)
            let near = "connect ECONNREFUSED, sendto 0, sendmsg 0, datagrams' connect 0"
            #expect(
                lines
                    == addresses.flatMap { address in
                        let isMapped = address.hasPrefix("::ffff:")
                        let only = "\(address) with V6ONLY: \(isMapped ? "ENETUNREACH" : "ECONNREFUSED")"
                        return ["\(address): \(near)"] + (address.contains(":") ? [only] : [])
                    })
            #expect(requests.isEmpty && strays == 0)
        }

        // MARK: Libraries

        @Test func `A library that is loaded later connects through the proxy`() async throws {
            try await TestProxy.during { proxy in
                let output = try await proxy.run("containment-loading", [FarSide.ipv4, FarSide.echoPort])
                let folder = try await CallProbe.path(of: "libbound.so")
                #expect(
                    output.lines == [
                        "deep-bound: 0", "deep-bound: echoed", "deep-bound by dlmopen: 0",
                        "deep-bound by dlmopen: echoed",
                        "name space of its own: \(folder): invalid target namespace in dlmopen(): Invalid argument",
                        "found by the program: no", "found by the library: yes", "found by its folder: yes",
                        "the program itself: yes",
                    ])
                let request = try await "CONNECT \(FarSide.ipv4):\(FarSide.echoPort)"
                #expect(proxy.requests == [request, request])
            }
        }
    }
}
