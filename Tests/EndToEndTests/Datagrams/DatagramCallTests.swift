import TestProxy
import Testing

extension EndToEnd {
    @Suite struct DatagramCallTests {
        @Test(
            arguments: ["sendto", "sendmsg", "sendmmsg", "many", "connected", "no-family"], EchoTargets.Family.allCases)
        func `Each call that sends or receives acts as without a proxy`(
            name: String, family: EchoTargets.Family
        ) async throws {
            let sessions = try await DatagramProbe.compare("datagram-calls", name, family)
            #expect(sessions.compactMap(\.request?.command) == [.udpAssociate])
            #expect((sessions.first?.association?.fromClient ?? 0) > 0)
        }

        @Test(arguments: ["unconnected", "arguments"])
        func `Wrong arguments give the errors of the kernel`(name: String) async throws {
            try await DatagramProbe.compare("datagram-calls", name)
        }

        @Test func `A number that was closed unseen carries what another socket has to send`() async throws {
            try await DatagramProbe.compare("datagram-calls", "closed-unseen")
        }

        @Test(arguments: ["waiting", "not-waiting", "later", "receiving"])
        func `Lengths that no datagram has are refused by the kernel, and harm nobody`(name: String) async throws {
            try await DatagramProbe.compare("datagram-lengths", name)
        }

        @Test(arguments: ["checked", "overflow"])
        func `The calls of programs that were compiled with checks check`(name: String) async throws {
            try await DatagramProbe.compare("datagram-checked", name)
        }

        @Test(
            arguments: ["peeking", "truncation", "parts", "several", "empty", "unread", "waiting"],
            EchoTargets.Family.allCases)
        func `A datagram is cut, looked at and measured without its header`(
            name: String, family: EchoTargets.Family
        ) async throws {
            try await DatagramProbe.compare("datagram-reading", name, family)
        }

        @Test(arguments: [(EchoTargets.Family.ipv4, 10), (.ipv6, 22), (.mapped, 10)])
        func `The largest datagram leaves room for the header`(
            family: EchoTargets.Family, header: Int
        ) async throws {
            let (output, _) = try await DatagramProbe.run(
                "datagram-options", "sizes", family, ["\(65_507 - header)"])
            #expect(
                output.lines == [
                    "one more: EMSGSIZE", "largest: sent", "received: all", "bytes: right", "one more: EMSGSIZE",
                    "far more: EMSGSIZE", "writev: sent", "writev of one more: EMSGSIZE", "received: all",
                    "then: 7 \"the end\" from server",
                ])
        }

        @Test(arguments: [(EchoTargets.Family.ipv4, "10.99.0.1"), (.ipv6, "fd99::1")])
        func `Control messages and the error queue are the socket's own`(
            family: EchoTargets.Family, proxy: String
        ) async throws {
            try await DatagramProbe.compare("datagram-options", "control", family, proxy: proxy)
            try await DatagramProbe.compare("datagram-options", "names", family, proxy: proxy, ending: .associated(2))
        }

        @Test func `The error queue is the socket's own`() async throws {
            try await DatagramProbe.compare("datagram-options", "errors")
        }

        @Test(arguments: ["refusals", "refusals-at-first"])
        func `What leaves no place for a header is refused`(name: String) async throws {
            let (output, _) = try await DatagramProbe.run("datagram-options", name)
            let round = [
                "control UDP_SEGMENT: EIO", "control UDP_SEGMENT, not waiting: EIO", "sendmmsg up to it: 1",
                "MSG_MORE: EOPNOTSUPP", "MSG_MORE, not waiting: EOPNOTSUPP", "MSG_ZEROCOPY: ENOBUFS",
                "of sendmmsg: 6 \"cut me\" from server",
            ]
            let options = ["UDP_SEGMENT: ENOPROTOOPT", "UDP_GRO: ENOPROTOOPT", "UDP_CORK: ENOPROTOOPT"]
            let transfers = [
                "sendfile: EINVAL", "splice to it: EINVAL", "splice from it: EINVAL",
                "recvmsg: 4 \"here\" from server",
            ]
            let end = ["then: 7 \"the end\" from server"]
            #expect(output.lines == options + round + (name == "refusals" ? round + transfers : []) + end)
        }

        @Test func `A datagram that names an address is decided on once`() async throws {
            let (output, _) = try await DatagramProbe.run("datagram-once", "counted", .ipv4, ["10.99.0.2"])
            // The first call makes one more call, to see whether the socket already had a port; sendmmsg(2) enters once
            // more for memory.
            let lines = [
                "question: entered 1", "first: asked 2", "by sendto: entered 1 asked 1",
                "by sendmsg: entered 1 asked 1", "by sendmmsg: entered 3 asked 2",
            ]
            #expect(output.lines == lines, "\(output.errors)")
        }

        @Test func `A socket has several destinations, and other peers in turn`() async throws {
            try await DatagramProbe.compare("datagram-life", "again", with: true)
        }

        @Test func `Sockets of both families and mapped addresses reach several destinations`() async throws {
            let far = try await EchoTargets.far(.ipv6) + EchoTargets.far(.ipv6)
            let mapped = try await ["::ffff:203.0.113.11", EchoTargets.farSecond[1]] + far.prefix(2)
            let (output, sessions) = try await DatagramProbe.run("datagram-life", "several", .mapped, mapped)
            let round = ["to 0 from there", "to 1 from there", "to 2 from there"]
            #expect(output.lines == round + round + ["sendmmsg: 3", "all came: 1"])
            #expect(sessions.count == 1)
            #expect(sessions.first?.association?.destinations.count == 3)
        }
    }
}
