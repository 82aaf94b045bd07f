import Foundation
import TestProxy
import Testing

extension EndToEnd {
    /// Browsers with all their processes, under their own sandboxes, as an ordinary user.
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

        private enum Browser: String {
            case chromium = "Chromium"
            case firefox = "Firefox"
            case qtWebEngine = "QtWebEngine"

            private static let chromiumRuns = Task { await runsByItself(.chromium) }
            private static let firefoxRuns = Task { await runsByItself(.firefox) }
            private static let qtWebEngineRuns = Task { await runsByItself(.qtWebEngine) }

            /// Whether the browser runs without the library.
            var runs: Bool {
                get async {
                    switch self {
                    case .chromium: await Browser.chromiumRuns.value
                    case .firefox: await Browser.firefoxRuns.value
                    case .qtWebEngine: await Browser.qtWebEngineRuns.value
                    }
                }
            }

            private static func runsByItself(_ browser: Browser) async -> Bool {
                let run = try? await browser.load("about:blank", home: BrowserTests.home().path, limit: 60, strays: nil)
                return run?.status == 0
            }

            /// Loads a page with a new profile and prints what the browser shows.
            func load(
                _ url: String, home: String, proxy: String? = nil, library: String? = nil, limit: Int = 180,
                strays: Int? = 0
            ) async throws -> Run {
                var environment = ["HOME": home]
                environment["LD_PRELOAD"] = library
                // Chromium makes UDP sockets at its start, also inside QtWebEngine; Firefox makes none.
                return try await Client.run(
                    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] + command(url, home: home),
                    proxy: proxy, environment: environment, input: input(), mode: .bare, limit: limit, strays: strays,
                    carriesDatagrams: self != .firefox)
            }

            private func command(_ url: String, home: String) -> [String] {
                switch self {
                case .chromium:
                    // These options turn off Chromium's own background connections.
                    ["chromium", "--headless", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]
                        + ["--disable-component-update", "--disable-background-networking"]
                        + ["--virtual-time-budget=60000", "--user-data-dir=\(home)/profile", "--dump-dom", url]
                case .firefox: ["/usr/bin/python3", "-", url]
                case .qtWebEngine: ["env", "QT_QPA_PLATFORM=offscreen", "/usr/bin/python3", "-", url]
                }
            }

            private func input() throws -> String {
                switch self {
                case .chromium: ""
                // The script comes by standard input, because the browser's user may not be able to read the sources.
                case .firefox: try String(contentsOfFile: BrowserTests.source("firefox.py"), encoding: .utf8)
                case .qtWebEngine: try String(contentsOfFile: BrowserTests.source("qtwebengine.py"), encoding: .utf8)
                }
            }
        }

        /// Skips the test where the browser does not run without the library.
        private func load(_ url: String, with browser: Browser) async throws -> (run: Run, requests: [String]) {
            try Machine.needsRoot("only root can be another user")
            guard await browser.runs else { try Test.cancel("\(browser.rawValue) does not run here") }
            let (home, library) = try BrowserTests.home()
            return try await TestProxy.during(host: Machine.proxyIPv4) { proxy in
                (try await browser.load(url, home: home, proxy: proxy.url, library: library), proxy.requests)
            }
        }

        @Test func `Chromium loads a page of a hundred parts and a WebSocket by its name`() async throws {
            _ = try await BrowserTests.page.value
            let (run, requests) = try await load("http://web.test:\(BrowserTests.port)/", with: .chromium)
            #expect(run.output.contains("done 100 hello"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }

        @Test func `Chromium says of a target that refuses what it says without a proxy`() async throws {
            let (run, requests) = try await load("http://web.test:8091/", with: .chromium)
            #expect(run.error.contains("net::ERR_CONNECTION_REFUSED"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }

        @Test func `QtWebEngine loads a page of a hundred parts and a WebSocket by its name`() async throws {
            _ = try await BrowserTests.page.value
            let (run, requests) = try await load("http://web.test:\(BrowserTests.port)/", with: .qtWebEngine)
            #expect(run.status == 0 && run.output.contains("done 100 hello"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }

        @Test func `QtWebEngine says of a target that refuses what it says without a proxy`() async throws {
            let (run, requests) = try await load("http://web.test:8091/", with: .qtWebEngine)
            #expect(run.status == 0 && run.output.contains("ERR_CONNECTION_REFUSED"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }

        @Test func `Firefox loads a page of a hundred parts and a WebSocket by its name`() async throws {
            _ = try await BrowserTests.page.value
            let url = "http://web.test:\(BrowserTests.port)/"
            let (run, requests) = try await load(url, with: .firefox)
            #expect(run.output == "\(url)\ndone 100 hello\n", "\(run)")
            #expect(run.status == 0, "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }

        @Test func `Firefox says of a target that refuses what it says without a proxy`() async throws {
            let (run, requests) = try await load("http://web.test:8091/", with: .firefox)
            #expect(run.output.hasPrefix("about:neterror?e=connectionFailure&"), "\(run)")
            #expect(requests.contains { $0.contains("web.test") }, "\(requests)")
        }
    }
}
