import Addressing
import Foundation
import ProxyConfig
import Testing

@Suite struct CompatibleFileTests {
    private let text = try! String(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../proxychains-compat.conf"), encoding: .utf8)

    /// The file sets everything for which the styles have different defaults.
    @Test func sameInBothStyles() {
        #expect(flawless(text) != nil)
        #expect(flawless(text) == flawless(text, style: .proxychains))
    }

    @Test func usable() {
        for style in [ConfigurationStyle.socksify, .proxychains] {
            let parsed = Configuration.parse(text, style: style)
            #expect(parsed.allErrors.isEmpty)
            #expect(parsed.configuration.proxies == [proxy(.socks5, "127.0.0.1", 1080)])
            for host in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
                #expect(parsed.configuration.route(to: IPAddress(host)!, port: 80) == .direct)
            }
            #expect(
                parsed.configuration.route(to: IPAddress("1.1.1.1")!, port: 80)
                    == .proxy(list: 0, address: IPAddress("1.1.1.1")!, port: 80))
        }
    }

    /// Every example in the file works after its number sign is removed.
    @Test func examples() {
        let lines = text.split(separator: "\n").map {
            $0.hasPrefix("#") && !$0.hasPrefix("# ") ? String($0.dropFirst()) : String($0)
        }
        let all = lines.joined(separator: "\n")
        #expect(flawless(all)?.localNetworks.count == 7)
        #expect(flawless(all)?.translations.count == 2)
        #expect(flawless(all, style: .proxychains)?.localNetworks.count == 7)
    }
}
