import Foundation
import TestProxy
import Testing

/// Commands of existing programs that have many pending connections in one thread.
enum EventLoopTool {
    static func url(_ way: Way, _ path: String) -> String { "http://\(way.urlHost):\(Targets.httpPort)/\(path)" }
    /// The web server's answer for the URL.
    static func answer(_ way: Way, _ path: String) -> String {
        "GET /\(path) host \(way.urlHost):\(Targets.httpPort)\n"
    }

    /// curl, which requests 100 pages from each of `ways` at once.
    static func curl(_ ways: [Way], _ options: String...) -> [String] {
        ["curl", "-sS", "--parallel", "--parallel-immediate", "--parallel-max", "300"] + options
            + ways.map { url($0, "[1-100]") }
    }
    /// The lines of those pages, sorted.
    static func pages(_ ways: [Way]) -> [String] {
        ways.flatMap { way in (1...100).map { answer(way, "\($0)") } }.sorted()
    }

    static func httpClient(_ urls: [String]) async throws -> [String] {
        ["java", "-Xshare:auto", "-cp", try await EventLoopProgram.directory, "Clients"] + urls
    }

    /// nginx, with requests for `paths` at once.
    static func nginx(_ paths: [String]) -> [String] {
        // Only root of the machine can change its user, which an nginx worker does even when the user is the same.
        let options = Machine.isRoot ? "" : "master_process off;"
        return ["bash", "\(EventLoopProgram.sources)/nginx.bash", options, "30"] + paths
    }

    /// aria2c, which downloads all of `urls` at once; the shell prints the files in order.
    static func aria2(poll: String, _ options: String..., urls: [String]) -> [String] {
        let command = """
            aria2c --no-conf --quiet=false --console-log-level=error --summary-interval=0 --show-console-readout=false \
                --download-result=hide --async-dns=false --max-tries=1 --enable-color=false --event-poll=\(poll) \
                \(options.joined(separator: " ")) --max-concurrent-downloads=50 --input-file=list >log 2>&1
            status=$?
            [[ ! -e 0 ]] || cat $(ls | grep '^[0-9]*$' | sort -n)
            cat log >&2
            exit $status
            """
        let list = urls.enumerated().map { "\($1)\n out=\($0)\n" }.joined()
        return ["bash", "-c", "printf %s \"$1\" >list; \(command)", "bash", list]
    }

    /// nmap, which waits for `time` for each port. The default is long, so no answer is late on a busy machine.
    static func nmap(ports: String, host: String, time: String = "20s", _ options: String...) -> [String] {
        ["nmap", "-sT", "-Pn", "-n", "--unprivileged", "-p", ports, "-oG", "-"] + options
            + ["--initial-rtt-timeout", time, "--min-rtt-timeout", time, "--max-rtt-timeout", time, host]
    }
    /// The ports that nmap reports one by one.
    static func states(_ run: Run) -> [String] {
        run.output.matches(of: /(\d+)\/(open|filtered)\//).map { "\($0.1) \($0.2)" }
    }
}

extension EndToEnd {
    /// Existing programs with event loops: what they receive, and what they report about targets that fail.
    @Suite struct EventLoopTools {
        init() async throws { try await Targets.shared.http() }

        private static let ways = Way.allCases

        @Test(arguments: ["0", "1"])
        func `node's http and fetch get pages, with io_uring and without`(uring: String) async throws {
            let urls = EventLoopTools.ways.map { EventLoopTool.url($0, "node") }
            try await withProxy { _, url in
                let run = try await Client.run(
                    ["node", Program.source("client.mjs")] + urls, proxy: url,
                    environment: ["UV_USE_IO_URING": uring])
                let expected = EventLoopTools.ways.map { String(repeating: EventLoopTool.answer($0, "node"), count: 2) }
                #expect(run.status == 0 && run.output == expected.joined(), "\(run)")
            }
        }

        @Test func `curl makes its parallel transfers, by name and by address`() async throws {
            try await withProxy { proxy, url in
                let run = try await Client.run(EventLoopTool.curl(EventLoopTools.ways), proxy: url)
                let lines = run.output.split(separator: "\n").map { "\($0)\n" }.sorted()
                #expect(run.status == 0 && lines == EventLoopTool.pages(EventLoopTools.ways), "\(run)")
                #expect(proxy.sessions.count > 3)
            }
        }

        @Test func `The HTTP client of Java gets many pages, by name and by address`() async throws {
            let pages = (1...20).flatMap { number in EventLoopTools.ways.map { ($0, "\(number)") } }
            let command = try await EventLoopTool.httpClient(pages.map { EventLoopTool.url($0, $1) })
            try await withProxy { _, url in
                let run = try await Client.run(command, proxy: url)
                #expect(run.status == 0 && run.output == pages.map { EventLoopTool.answer($0, $1) }.joined(), "\(run)")
            }
        }

        @Test func `The HTTP client of Java says of failing targets what it says without a proxy`() async throws {
            let failures = [TargetFailure.refused, .hostUnreachable, .networkUnreachable]
            let command = try await EventLoopTool.httpClient(
                failures.flatMap { ["http://\($0.ipv4):\(Targets.closedPort)/", "http://[\($0.ipv6)]:9/"] })
            let native = try await Client.runNatively(command)
            #expect(native.output.split(separator: "\n").count == 6)
            try await withProxy { _, url in
                let run = try await Client.run(command, proxy: url)
                #expect(run.output == native.output, "\(run)")
            }
        }

        @Test func `nginx has its upstreams behind the proxy, by name and by address`() async throws {
            let paths = (1...10).flatMap { number in EventLoopTools.ways.map { ($0, "\(number)") } }
            let command = EventLoopTool.nginx(paths.map { "/\($0.rawValue)/\($1)" })
            try await withProxy { proxy, url in
                let run = try await Client.run(command, proxy: url)
                let expected = paths.map { "200\n" + EventLoopTool.answer($0, $1) }.joined()
                #expect(run.status == 0 && run.output == expected && run.error.isEmpty, "\(run)")
                let addresses = Set(proxy.sessions.compactMap { $0.request?.address })
                #expect(addresses == Set(EventLoopTools.ways.map { Address($0.host) }))
            }
        }

        @Test func `nginx says of failing upstreams what it says without a proxy`() async throws {
            func said(_ run: Run) -> [String] {
                run.error.matches(of: /\((\d+: [^)]*)\) while (connecting to upstream)/).map { "\($0.1) \($0.2)" }
            }
            let command = EventLoopTool.nginx(["/refused/", "/unreachable/", "/nonet/"])
            let native = try await Client.runNatively(command)
            #expect(native.output == "502\n502\n502\n" && said(native).count == 3, "\(native)")
            try await withProxy { _, url in
                let run = try await Client.run(command, proxy: url)
                #expect(run.output == native.output)
                #expect(said(run).sorted() == said(native).sorted(), "\(run)")
            }
        }

        @Test(arguments: ["epoll", "poll", "select"])
        func `aria2c downloads, by name and by address`(poll: String) async throws {
            let files = (1...5).flatMap { number in EventLoopTools.ways.map { ($0, "\(number)") } }
            let command = EventLoopTool.aria2(poll: poll, urls: files.map { EventLoopTool.url($0, $1) })
            try await withProxy { _, url in
                let run = try await Client.run(command, proxy: url)
                #expect(
                    run.status == 0 && run.output == files.map { EventLoopTool.answer($0, $1) }.joined(), "\(run)")
            }
        }

        @Test(arguments: ["epoll", "poll", "select"])
        func `aria2c says of failing targets what it says without a proxy`(poll: String) async throws {
            func said(_ run: Run) -> [String] {
                // The text before the cause says whether connect(2) or SO_ERROR gave the error, which may differ.
                run.error.matches(of: /cause: (.*)/).map { String($0.1) }.sorted()
            }
            let failures = [TargetFailure.refused, .hostUnreachable, .networkUnreachable]
            let command = EventLoopTool.aria2(poll: poll, urls: failures.map { "http://\($0.ipv4):9/" })
            let native = try await Client.runNatively(command)
            #expect(native.status != 0 && said(native).count == 3, "\(native)")
            try await withProxy { _, url in
                let run = try await Client.run(command, proxy: url)
                #expect(run.status == native.status)
                #expect(said(run) == said(native), "\(run)")
            }
        }

        /// The expected report is nmap's own on the targets' side, without a proxy.
        @Test(arguments: [Way.name, .ipv4])
        func `nmap reports of a thousand ports what the proxy says`(way: Way) async throws {
            try await Targets.shared.echo()
            try await Targets.shared.banner()
            let open = [Targets.bannerPort, Targets.echoPort, Targets.httpPort].sorted()
            let ports = "1-997," + open.map { "\($0)" }.joined(separator: ",")
            let command = EventLoopTool.nmap(ports: ports, host: way.host)
            let script = Script.with { $0.replyCodes = [81: 3, 82: 4, 83: 6] }
            try await withProxy(script) { proxy, url in
                let run = try await Client.run(command, proxy: url)
                let expected = ["81 filtered", "82 filtered", "83 filtered"] + open.map { "\($0) open" }
                #expect(EventLoopTool.states(run) == expected, "\(run)")
                #expect(run.output.contains("Ignored State: closed (994)"), "\(run)")
                #expect(Set(proxy.sessions.compactMap { $0.request?.port }).count == 1000)
                #expect(Set(proxy.sessions.compactMap { $0.request?.address }) == [Address(way.host)])
            }
        }
    }
}
