import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Browsers, with all their processes and under their own sandboxes, as an ordinary user.
    @Suite struct BrowserTests {
        private static let port = 8090

        private static let page = Task {
            try await Daemon(
                ["/usr/bin/python3", source("page.py"), "203.0.113.10", "\(port)"], host: "203.0.113.10", port: port)
        }

        private static func source(_ name: String) -> String {
            Machine.package.appending(path: "Tests/EndToEndTests/Programs/Browsers/\(name)").path
        }

        /// A home that every user can write to, and a copy of the library there, which every user can read.
        private static func home() throws -> (path: String, library: String) {
            let home = try Machine.temporaryDirectory("home").path
            let library = "\(home)/libsocksify.so"
            try FileManager.default.copyItem(atPath: Machine.library, toPath: library)
            try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: home)
            return (home, library)
        }

        /// Without the calls that have nothing to do with the page.
        private static func command(_ url: String, _ options: [String], home: String) -> [String] {
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "chromium", "--headless", "--disable-gpu"]
                + ["--no-first-run", "--disable-dev-shm-usage", "--disable-component-update"]
                + ["--disable-background-networking", "--user-data-dir=\(home)/profile"]
                + options + ["--dump-dom", url]
        }

        /// Ends the test as not run where Chromium does not run by itself.
        private static func needsChromium() async throws {
            let (home, _) = try home()
            let run = try await Client.run(
                command("about:blank", [], home: home), environment: ["HOME": home], mode: .bare,
                strays: nil)
            if run.status != 0 { try Test.cancel("Chromium does not run here") }
        }

        private func chromium(_ url: String, options: [String]) async throws -> (run: Run, requests: [String]) {
            try Machine.needsRoot("only root can be another user")
            try await BrowserTests.needsChromium()
            let (home, library) = try BrowserTests.home()
            return try await TestProxy.during(host: Machine.proxyIPv4) { proxy in
                let run = try await Client.run(
                    BrowserTests.command(url, options, home: home), proxy: proxy.url,
                    environment: ["LD_PRELOAD": library, "HOME": home], mode: .bare, limit: 180,
                    carriesDatagrams: true)
                return (run, proxy.requests)
            }
        }

        @Test func `Chromium loads a page of a hundred parts and a WebSocket by its name`() async throws {
            _ = try await BrowserTests.page.value
            let (run, requests) = try await chromium(
                "http://web.test:\(BrowserTests.port)/", options: ["--virtual-time-budget=60000"])
            #expect(run.output.contains("done 100 hello"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }

        @Test func `Chromium says of a target that refuses what it says without a proxy`() async throws {
            let (run, requests) = try await chromium("http://web.test:8091/", options: [])
            #expect(run.error.contains("net::ERR_CONNECTION_REFUSED"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }
    }
}
