import TestProxy
import Testing

extension EndToEnd {
    /// Programs with non-blocking sends: the calls return before the proxy has answered, and the calls in which the
    /// program waits wake it.
    @Suite struct DatagramWaitingTests {
        static let ways = [
            "poll", "ppoll", "select", "pselect", "level", "edge", "oneshot", "writable", "nested", "poll-of-epoll",
            "epoll_pwait2", "asking", "receiving", "in-time", "batches", "thread", "thread-by-edge", "crowd", "shut",
            "shut-unconnected", "shut-both",
        ]

        @Test(arguments: ways)
        func `What was sent before the proxy answered arrives in order, and wakes the program`(
            way: String
        ) async throws {
            try await DatagramProbe.compare(
                "datagram-waiting", way, script: Script.with { $0.delay = .milliseconds(30) },
                ending: .associated(way == "crowd" ? 50 : 1))
        }

        @Test func `A proxy that never answers keeps no call that does not wait, and others as long as they say`()
            async throws
        {
            let (output, sessions) = try await DatagramProbe.run(
                "datagram-failure", "silent", script: Script.with { $0.fault = .init(.hang, after: 0) },
                ending: .associated(4))
            #expect(
                output.lines == [
                    "O_NONBLOCK sendto: 1", "again: 1", "MSG_DONTWAIT: 1", "sendmmsg: 2", "recv: EAGAIN",
                    "SO_SNDTIMEO: EAGAIN", "again: EAGAIN",
                ])
            #expect(!sessions.isEmpty && sessions.allSatisfy { $0.association == nil })
        }
    }
}
