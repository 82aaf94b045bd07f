import TestProxy
import Testing

extension EndToEnd {
    /// Children for which no pthread_atfork(3) handlers run.
    @Suite struct ForkedTests {
        private let address = "127.0.251.4"

        private func run(
            _ name: String, _ way: String, proxy: String? = nil, preparation: String = ""
        ) async throws -> CallProbe.Output {
            try await CallProbe.run(
                "forked", [name, way, address], environment: ["SOCKSIFY_PROXY": "socks5://\(proxy ?? address):1080"],
                preparation: preparation)
        }

        #if arch(x86_64)
        private static let ways = ["fork", "_Fork", "SYS_fork", "SYS_clone", "clone"]
        #else
        private static let ways = ["fork", "_Fork", "SYS_clone", "clone"]
        #endif

        @Test func `A child without thread-local variables ends alone`() async throws {
            let output = try await run("without-storage", "clone")
            #expect(
                output.lines == [
                    "the child ended with 300, tables 1", "the parent: EINPROGRESS",
                    "the child ended with 300, tables 1", "the child ended with 300, tables 1",
                ])
        }

        @Test(arguments: ways)
        func `A child has as many connections, one after the other, as it likes`(way: String) async throws {
            let output = try await run("many", way)
            #expect(output.lines == ["as many as it likes", "then the parent's: EINPROGRESS"], "\(output)")
        }

        @Test func `Children take a connection up from each other behind every byte, by any protocol`() async throws {
            let address = "127.0.251.5"
            let configuration = """
                strict_chain
                [ProxyList]
                socks5 \(address) 1080 user pass
                socks4 10.0.0.1 1080
                http 10.0.0.2 8080
                """
            let output = try await ConfigurationText(configuration).write { path in
                try await CallProbe.run("pending-handed", [address], environment: ["SOCKSIFY_CONF": path])
            }
            let heard = [
                "methods", "credentials", "request of SOCKS5", "request of SOCKS4", "request of HTTP",
            ].map { "\($0): as it should be" }
            #expect(output.lines == heard + ["poll 1 OUT"] + Pending.connected, "\(output)")
        }

        @Test(arguments: ways)
        func `A child goes on with a connection that its parent has closed`(way: String) async throws {
            let output = try await run("left", way)
            #expect(output.lines == ["poll 1 OUT, error 0", "heard child"], "\(output)")
        }

        @Test(arguments: ways)
        func `A child does not wait for a lookup of the proxy's name that a thread of its parent began`(
            way: String
        ) async throws {
            // The probe is the name server.
            let files = """
                mount -t tmpfs tmpfs /mnt
                echo nameserver \(address) >/mnt/resolv.conf; echo 'hosts: dns' >/mnt/nsswitch.conf
                for file in resolv.conf nsswitch.conf; do mount --bind /mnt/$file /etc/$file; done
                """
            let output = try await run("looking-up", way, proxy: "proxy.test", preparation: files)
            #expect(
                output.lines == ["the child asks, too", "the child: EINPROGRESS", "the thread: EINPROGRESS"],
                "\(output)")
        }
    }
}
