import Glibc
import TestProxy
import Testing

extension EndToEnd {
    @Suite struct NameProbeTests {
        /// A call of getaddrinfo(3).
        struct Lookup: CustomTestStringConvertible, Sendable {
            var node: String?
            var service: String?
            /// nil: a call without hints.
            var family: Int32?
            var type: Int32
            var transport: Int32
            var flags: Int32

            init(
                _ node: String?, _ service: String? = "80", family: Int32? = AF_UNSPEC,
                type: __socket_type? = SOCK_STREAM,
                transport: Int32 = 0, flags: Int32 = 0
            ) {
                (self.node, self.service, self.family) = (node, service, family)
                self.type = type.map { Int32($0.rawValue) } ?? 0
                (self.transport, self.flags) = (transport, flags)
            }

            var arguments: [String] {
                [node ?? "-", service ?? "-", family.map { "\($0)" } ?? "-", "\(type)", "\(transport)", "\(flags)"]
            }

            var testDescription: String { arguments.joined(separator: " ") }

            /// The library's answer, and libc's.
            func answers(_ preparation: String) async throws -> (ours: [String], libcs: [String]) {
                func lines(_ library: CallProbe.Library) async throws -> [String] {
                    try await CallProbe.run(
                        "lookup", arguments, environment: NameProbeTests.environment, library: library,
                        preparation: preparation
                    ).lines
                }
                return (try await lines(.preloaded), try await lines(.absent))
            }
        }

        /// No look-up here asks a proxy, so none runs.
        private static let environment = ["SOCKSIFY_PROXY": "socks5://10.99.0.1:1080"]

        private func look(_ lookup: Lookup, _ library: CallProbe.Library = .preloaded) async throws -> [String] {
            try await CallProbe.run(
                "lookup", lookup.arguments, environment: NameProbeTests.environment, library: library,
                preparation: library == .absent ? CallProbe.withoutNameServers : ""
            ).lines
        }

        static let fakeLookups: [(Lookup, [String])] = [
            (Lookup("web.test"), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test."), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test", "http"), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test", nil), ["0", "FAKE4 0 type 1 protocol 6"]),
            (Lookup("web.test", family: AF_INET), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test", family: AF_INET6), ["0", "FAKE6 80 type 1 protocol 6"]),
            (Lookup("web.test", type: SOCK_DGRAM), ["0", "FAKE4 80 type 2 protocol 17"]),
            (Lookup("web.test", transport: 17), ["EAI_SOCKTYPE"]),
            (Lookup("web.test", type: nil, transport: 17), ["0", "FAKE4 80 type 2 protocol 17"]),
            (
                Lookup("web.test", type: nil),
                ["0", "FAKE4 80 type 1 protocol 6", "FAKE4 80 type 2 protocol 17", "FAKE4 80 type 3 protocol 0"]
            ),
            (
                Lookup("web.test", family: nil, type: nil),
                ["0", "FAKE4 80 type 1 protocol 6", "FAKE4 80 type 2 protocol 17", "FAKE4 80 type 3 protocol 0"]
            ),
            (Lookup("Web.Test", flags: AI_CANONNAME), ["0", "FAKE4 80 type 1 protocol 6 canonical Web.Test"]),
            (Lookup("web.test.", flags: AI_CANONNAME), ["0", "FAKE4 80 type 1 protocol 6 canonical web.test"]),
            (Lookup("web.test", flags: AI_ADDRCONFIG), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test", family: AF_INET6, flags: AI_ADDRCONFIG), ["0", "FAKE6 80 type 1 protocol 6"]),
            (Lookup("web.test", family: AF_INET6, flags: AI_V4MAPPED), ["0", "FAKE6 80 type 1 protocol 6"]),
            (Lookup("web.test", family: AF_INET6, flags: AI_V4MAPPED | AI_ALL), ["0", "FAKE6 80 type 1 protocol 6"]),
            (Lookup("web.test", flags: AI_PASSIVE), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test", flags: AI_NUMERICHOST), ["EAI_NONAME"]),
            (Lookup("web.test", flags: AI_NUMERICSERV), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("web.test", "http", flags: AI_NUMERICSERV), ["EAI_NONAME"]),
            (Lookup("web.test", "no-such-service"), ["EAI_SERVICE"]),
            (Lookup("web.test", family: 77), ["EAI_FAMILY"]),
            (Lookup("web.test", flags: 1 << 24), ["EAI_BADFLAGS"]),
            (Lookup("under_score.test"), ["0", "FAKE4 80 type 1 protocol 6"]),
            (Lookup("nothing"), ["0", "FAKE4 80 type 1 protocol 6"]),
        ]

        @Test(arguments: fakeLookups)
        func `A name gets an address as the hints want it`(lookup: Lookup, expected: [String]) async throws {
            #expect(try await look(lookup) == expected)
        }

        private static let longLabel = String(repeating: "a", count: 64)
        private static let longName = Array(repeating: String(repeating: "a", count: 50), count: 6).joined(
            separator: ".")

        @Test(arguments: [
            "0.1.1.~1", "x.invalid", "invalid", "\(longLabel).test", "a..b", ".a", "..", "1.2.3.4.5", "a b.test", "",
            longName, "256.1.1.1", "1.2.3.4/8", "[::1]", "*.test",
        ])
        func `What cannot be a name gets no address`(name: String) async throws {
            for family in [AF_UNSPEC, AF_INET, AF_INET6] {
                #expect(try await look(Lookup(name, family: family)) == ["EAI_NONAME"])
            }
        }

        @Test func `A scope that is no interface makes no address`() async throws {
            for family in [AF_UNSPEC, AF_INET6] {
                #expect(try await look(Lookup("fe80::1%nosuch", family: family)) == ["EAI_NONAME"])
            }
            let lookup = Lookup("fe80::1%nosuch", family: AF_INET)
            #expect(try await look(lookup) == look(lookup, .absent))
        }

        private static let ownNames = [
            "localhost", "inhosts.test", "INHOSTS.TEST", "inhosts6.test", "ip6-localhost", "127.1", "127.0.0.1",
            "0x7f.1", "::1", "fe80::1%client", "2001:db8::1", "::ffff:1.2.3.4", "203.0.113.11", "1",
        ]

        private static func everyLookup(of name: String) -> [Lookup] {
            [
                Lookup(name), Lookup(name, type: nil), Lookup(name, family: nil, type: nil),
                Lookup(name, family: AF_INET), Lookup(name, family: AF_INET6),
                Lookup(name, family: AF_INET6, flags: AI_V4MAPPED), Lookup(name, flags: AI_NUMERICHOST),
                Lookup(name, flags: AI_ADDRCONFIG), Lookup(name, "no-such-service"), Lookup(name, family: 77),
                Lookup(name, flags: 1 << 24), Lookup(name, flags: AI_CANONNAME),
                Lookup(name, family: AF_INET6, flags: AI_V4MAPPED | AI_ALL),
            ]
        }

        private static let namelessLookups = [
            Lookup(nil, flags: AI_PASSIVE), Lookup(nil), Lookup(nil, family: AF_INET6, flags: AI_PASSIVE),
            Lookup(nil, nil), Lookup(nil, "http", type: nil), Lookup(nil, "no-such-service"),
            Lookup("127.0.0.1", "http", type: SOCK_DGRAM), Lookup(nil, flags: AI_CANONNAME),
        ]

        static let ownLookups = ownNames.flatMap { everyLookup(of: $0) } + namelessLookups

        @Test(arguments: ownLookups)
        func `Figures and the machine's own names mean what they mean to libc`(lookup: Lookup) async throws {
            #expect(try await look(lookup) == look(lookup, .absent))
        }

        /// Shell commands that give the client a hosts file of its own, and no other source of names.
        private static let ownHosts = """
            \(CallProbe.withoutNameServers)
            cat >/mnt/hosts <<'end'
            127.0.0.1 localhost
            ::1 localhost ip6-localhost
            127.0.1.1 here here.example.test
            10.99.0.1 one.test alias.test another.test
            10.99.0.7 one.test third.test
            10.99.0.1 one.test
            fd99::7 one.test sixth.test
            198.51.100.1 order.test
            203.0.113.10 order.test
            10.99.0.1 order.test
            127.0.0.2 order.test
            169.254.1.1 order.test
            2002:c000:201::1 order.test
            2001:0:1::1 order.test
            fe80::1 order.test
            2001:db8::10 order.test
            fd99::1 order.test
            ::1 order.test
            127.0.1.9 near.test
            127.0.0.2 near.test
            10.99.0.1 \((1...200).map { "many-\($0).test" }.joined(separator: " "))
            end
            mount --bind /mnt/hosts /etc/hosts
            """

        @Test(arguments: [
            "", "precedence ::ffff:0:0/96 100", "label fd99::/16 4 # as IPv4", "scopev4 ::ffff:10.0.0.0/104 2",
        ])
        func `Addresses of the hosts file come in the order of libc`(policy: String) async throws {
            let preparation =
                NameProbeTests.ownHosts + "\necho '\(policy)' >/mnt/gai; mount --bind /mnt/gai /etc/gai.conf"
            for name in ["localhost", "one.test", "order.test", "near.test"] {
                for family in [AF_UNSPEC, AF_INET, AF_INET6] {
                    let lookup = Lookup(name, family: family, flags: AI_CANONNAME)
                    let (ours, libcs) = try await lookup.answers(preparation)
                    #expect(ours == libcs, "\(name), family \(family)")
                }
            }
        }

        @Test
        func `On a machine without IPv6 a name of the hosts file has its IPv4 addresses alone, if that is wanted`()
            async throws
        {
            let lookup = Lookup("one.test", flags: AI_ADDRCONFIG)
            let preparation = """
                \(NameProbeTests.ownHosts)
                set -- unshare --net sh -c 'ip link set lo up; ip address add 192.0.2.1/24 dev lo; exec "$@"' sh "$@"
                """
            let (ours, libcs) = try await lookup.answers(preparation)
            #expect(ours == libcs && ours.count == 4, "\(ours)")
        }

        @Test(arguments: [
            (Lookup("www.localhost"), ["0", "127.0.0.1 80 type 1 protocol 6", "::1 80 type 1 protocol 6"]),
            (Lookup("www.localhost", family: AF_INET), ["0", "127.0.0.1 80 type 1 protocol 6"]),
            (Lookup("www.localhost", family: AF_INET6), ["0", "::1 80 type 1 protocol 6"]),
        ])
        func `What is below localhost is this machine`(lookup: Lookup, expected: [String]) async throws {
            #expect(Set(try await look(lookup)) == Set(expected))
        }

        // MARK: Older calls

        @Test func `The gethostbyname family gives reserved addresses and never writes beyond a buffer`() async throws {
            let output = try await CallProbe.run("hosts", ["Web.test"], environment: NameProbeTests.environment)
            let four = "Web.test, family 4, 0 aliases, FAKE4 0"
            // A program that asks for IPv6 in this way asks for IPv4 next, and takes the first address that it gets.
            #expect(
                output.lines == [
                    "Web.test: \(four)", "Web.test 6: NO_DATA", "Web.test by size: \(four)",
                    "Web.test 6 by size: 0 no result NO_DATA",
                    "Web.test back: \(four)", "Web.test back by size: \(four)",
                ])
        }

        @Test(arguments: [
            "localhost", "ip6-localhost", "here", "here.example.test", "one.test", "ALIAS.test", "third.test",
            "order.test",
            "many-1.test", "many-200.test", "127.0.0.1", "127.1", "::1", "2001:db8::1", "10.99.0.7",
        ])
        func `The gethostbyname family means by other names what libc means`(name: String) async throws {
            let output = try await CallProbe.run(
                "hosts", [name], environment: NameProbeTests.environment, preparation: NameProbeTests.ownHosts)
            let native = try await CallProbe.run(
                "hosts", [name], library: .absent, preparation: NameProbeTests.ownHosts)
            #expect(output.lines == native.lines)
        }

        @Test(arguments: ["x.invalid", "a..b", "0.1.1.~1", longLabel])
        func `The gethostbyname family finds no host for what cannot be a name`(name: String) async throws {
            let output = try await CallProbe.run("hosts", [name], environment: NameProbeTests.environment)
            #expect(
                output.lines == [
                    "\(name): HOST_NOT_FOUND", "\(name) 6: HOST_NOT_FOUND",
                    "\(name) by size: 0 no result HOST_NOT_FOUND",
                    "\(name) 6 by size: 0 no result HOST_NOT_FOUND",
                ])
        }

        @Test func `A reserved address leads back to its name`() async throws {
            let output = try await CallProbe.run("reverse", environment: NameProbeTests.environment)
            func family(_ number: Int) -> [String] {
                [
                    "family \(number)", "plain: 0 Web.test http", "NI_NAMEREQD: 0 Web.test http",
                    "NI_NUMERICHOST: 0 FAKE\(number) http", "NI_NUMERICSERV: 0 Web.test 80", "NI_DGRAM: 0 Web.test 80",
                    "size 9: 0", "small service: EAI_OVERFLOW", "both, small service: EAI_OVERFLOW", "nothing: 0",
                    "short: EAI_FAMILY", "bad flags: EAI_BADFLAGS",
                ]
            }
            #expect(
                output.lines == family(4) + family(6) + [
                    "never given out: 0 FAKE4 http", "never given out, NI_NAMEREQD: EAI_NONAME  ",
                    "listed: 0 inhosts.test https", "near: 0 localhost http", "real: 0 203.0.113.11 http",
                    "real, NI_NAMEREQD: EAI_NONAME  ", "connect to never given out: EHOSTUNREACH",
                    "connect to never given out: EHOSTUNREACH",
                ])
        }

        @Test func `Requests of getaddrinfo_a are answered in every way`() async throws {
            let output = try await CallProbe.run("asynchronous", environment: NameProbeTests.environment)
            func answers(_ way: String) -> [String] {
                [
                    "\(way): web.test 0", "FAKE4 80 type 1 protocol 6", "\(way): 127.0.0.1 0",
                    "127.0.0.1 80 type 1 protocol 6", "\(way): a..b EAI_NONAME",
                ]
            }
            #expect(
                output.lines == ["wait: 0"] + answers("wait") + ["no wait: 0"] + answers("no wait") + ["signal: 0"]
                    + ["signal: told 42"] + answers("signal") + ["thread: 0", "thread: told 43"] + answers("thread")
                    + ["bad mode: EAI_SYSTEM"])
        }

        @Test func `Many threads look up names, and the same name has the same address`() async throws {
            let output = try await CallProbe.run("crowd", environment: NameProbeTests.environment)
            #expect(output.lines == ["wrong 0", "same name, same address"])
        }

        // MARK: Requests to the proxy, and no packets elsewhere

        @Test func `The proxy is asked for the very name, and nobody else is asked`() async throws {
            try await TestProxy.during { _ in
                var script = Script()
                script.names = ["web.test": [FarSide.ipv4]]
                return script
            } _: { proxy in
                let output = try await proxy.run("counting", [FarSide.echoPort])
                #expect(output.lines == ["web.test: 0", "connect: 0", "echoed", "packets without a route: none"])
                #expect(proxy.sessions.map(\.request?.address) == [.name(Array("web.test".utf8))])
            }
        }

        @Test func `Where names are resolved here, libc does it`() async throws {
            let configuration = ConfigurationText(
                """
                dns local
                [ProxyList]
                socks5 10.99.0.1 1080
                """)
            let lookup = Lookup("inhosts.test")
            let lines = try await configuration.write {
                try await CallProbe.run("lookup", lookup.arguments, environment: ["SOCKSIFY_CONF": $0]).lines
            }
            #expect(lines == ["0", "203.0.113.10 80 type 1 protocol 6"])
        }
    }
}
