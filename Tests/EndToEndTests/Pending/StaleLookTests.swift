import TestProxy
import Testing

extension EndToEnd {
    /// A thread looks at a socket, is stopped, and continues after another socket has taken the descriptor. Its next
    /// step, which clears a mark or removes a record, must spare the mark and the record of the new socket.
    ///
    /// The probes stop the thread by ptrace(2) at an exact instruction, so each interleaving happens in each run.
    @Suite struct StaleLookTests {
        /// Runs `stale-look` with its four proxies, or with the lines of another configuration file.
        private func run(_ name: String, _ lines: [String]? = nil) async throws -> CallProbe.Output {
            let address = "127.0.251.1"
            let folder = try Machine.temporaryDirectory("paths").path
            let text =
                lines ?? [
                    "round_robin_chain", "chain_len = 1", "dead_time 0", "[ProxyList]",
                    "socks5+unix://\(folder)/1", "socks5 \(address) 1080",
                    "socks5+unix://\(folder)/2", "socks5 \(address) 1081",
                ]
            return try await ConfigurationText((["loopback proxy", "log off"] + text).joined(separator: "\n")).write {
                try await CallProbe.run("stale-look", [name, address, folder], environment: ["SOCKSIFY_CONF": $0])
            }
        }

        @Test func `A thread that reads gets no byte of a handshake`() async throws {
            let output = try await run("reading")
            #expect(output.lines == ["thread: EAGAIN", "poll OUT"] + Pending.connected, "\(output)")
        }

        @Test func `A thread that waits goes on with the socket that stands there now`() async throws {
            let output = try await run("waiting")
            #expect(output.lines == ["thread: \"hello\""] + Pending.connected, "\(output)")
        }

        @Test func `A thread that asks for the peer is never told the proxy`() async throws {
            let output = try await run("peer")
            #expect(output.lines == ["poll OUT", "thread: as connected to"] + Pending.connected, "\(output)")
        }

        @Test func `A socket in the place of the program's is known for that`() async throws {
            let output = try await run("option")
            #expect(output.lines == ["domain AF_INET", "domain AF_INET"] + Pending.connected, "\(output)")
        }

        @Test func `The end of a socket that was closed unseen is not that of the next by its number`() async throws {
            let output = try await run("former", ["tcp_connect_time_out 1", "[ProxyList]", "socks5 127.0.251.1 1080"])
            #expect(output.lines == ["poll 1", "error ETIMEDOUT"], "\(output)")
        }

        @Test func `A relayed socket stays one when a thread has looked for the former one of its number`() async throws
        {
            let output = try await TestProxy.during { proxy in
                try await proxy.run("datagram-stale", EchoTargets.far(.ipv4), ending: .associated(1))
            }
            #expect(
                output.lines == ["answer \"former\"", "answer \"one\"", "thread: EAGAIN", "answer \"two\""], "\(output)"
            )
        }
    }
}
