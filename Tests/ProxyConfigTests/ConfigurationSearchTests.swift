import ProxyConfig
import Testing

@Suite struct ConfigurationSearchTests {
    private func search(
        proxies: String? = nil, file: String? = nil, configurationHome: String? = nil, home: String? = nil,
        proxychainsFile: String? = nil
    ) -> ConfigurationSearch {
        func bytes(_ text: String?) -> [UInt8]? { text.map { Array($0.utf8) } }
        return ConfigurationSearch(
            ConfigurationSearch.Environment(
                proxies: bytes(proxies), file: bytes(file), configurationHome: bytes(configurationHome),
                home: bytes(home), proxychainsFile: bytes(proxychainsFile)))
    }

    /// The path, with a mark for a file that must be there, and one for the style of proxychains.
    private func paths(_ search: ConfigurationSearch) -> [String] {
        search.candidates.map {
            String(decoding: $0.path, as: UTF8.self) + ($0.isRequired ? " !" : "")
                + ($0.style == .proxychains ? " p" : "")
        }
    }

    @Test func order() {
        #expect(
            paths(search(configurationHome: "/c", home: "/home/a", proxychainsFile: "/p/my.conf")) == [
                "/c/socksify/socksify.conf", "/home/a/.config/socksify/socksify.conf", "/etc/socksify.conf",
                "/p/my.conf ! p", "/home/a/.proxychains/proxychains.conf p",
                "/home/a/config/settings/proxychains.conf p", "/etc/proxychains.conf p",
                "/etc/proxychains4.conf p",
            ])
    }

    /// The search ignores a relative path, which would be below the current directory.
    @Test(arguments: [nil, "", ".", "a/b"])
    func withoutHome(home: String?) {
        #expect(
            paths(search(configurationHome: home, home: home)) == [
                "/etc/socksify.conf", "/etc/proxychains.conf p", "/etc/proxychains4.conf p",
            ])
    }

    @Test func eachPathOnce() {
        #expect(
            paths(search(configurationHome: "/h/.config", home: "/h")).filter { $0.hasPrefix("/h/.config") }
                .count == 1)
    }

    /// A named file is the only one, and has the style of its name.
    @Test func namedFile() {
        #expect(paths(search(file: "my.conf", home: "/h", proxychainsFile: "/p")) == ["my.conf !"])
        #expect(paths(search(file: "/x/proxychains.conf", home: "/h")) == ["/x/proxychains.conf ! p"])
        #expect(paths(search(file: "/x/my.conf", proxychainsFile: "/x/my.conf")) == ["/x/my.conf ! p"])
        #expect(paths(search(file: "")) == paths(search()))
    }

    /// With proxies in the environment only a named file is read.
    @Test func proxies() {
        #expect(search(proxies: "socks5://a", home: "/h", proxychainsFile: "/p").candidates == [])
        #expect(search(proxies: "socks5://a").proxies == Array("socks5://a".utf8))
        #expect(paths(search(proxies: "socks5://a", file: "/f.conf")) == ["/f.conf !"])
        #expect(search(proxies: "").proxies == nil)
        #expect(search(proxies: "").candidates.count == 3)
    }
}
