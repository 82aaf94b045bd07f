import ProxyConfig
import Testing

@Suite struct PasswordReadingTests {
    /// The passwords of a list of URLs, or the first error, given the contents of their sources.
    private func read(
        _ urls: String, _ contents: @escaping (PasswordSource) -> String?
    ) -> (passwords: [String], error: String?) {
        var parsed = Configuration.parse(proxyURLs: urls)
        #expect(parsed.errors.isEmpty)
        parsed.readPasswords { contents($0).map { Array($0.utf8) } }
        return (
            parsed.configuration.proxies.map { String(decoding: $0.credentials?.password ?? [], as: UTF8.self) },
            parsed.errors.first.map { "\($0)" }
        )
    }

    private let byFile = "socks5://alice@10.0.0.1:1080?password-file=/run/secret"
    private let byVariable = "socks5://alice@10.0.0.1:1080?password-env=SECRET"

    @Test(arguments: [
        ("pass", "pass"), ("pass\n", "pass"), ("pass\nother\n", "pass"), (" pass \n", " pass "), ("pass\r\n", "pass\r"),
    ])
    func `The password of a file is its first line`(contents: String, password: String) {
        let result = read(byFile) { $0 == .file(Array("/run/secret".utf8)) ? contents : nil }
        #expect(result.passwords == [password] && result.error == nil)
    }

    @Test func `The password of a variable is its value`() {
        let result = read(byVariable) { $0 == .variable(Array("SECRET".utf8)) ? "two\nlines" : nil }
        #expect(result.passwords == ["two\nlines"] && result.error == nil)
    }

    @Test func `Each proxy has its own`() {
        let result = read("\(byFile),socks5://bob:plain@10.0.0.2:1080,\(byVariable)") {
            if case .file = $0 { "one" } else { "two" }
        }
        #expect(result.passwords == ["one", "plain", "two"] && result.error == nil)
    }

    @Test func `What cannot be read is an error at its place`() {
        #expect(
            read("socks5://10.0.0.2:1080,\(byFile)") { _ in nil }.error
                == "column 24: the password file '/run/secret' cannot be read")
        #expect(
            read(byVariable) { _ in nil }.error
                == "column 1: a user needs a password, and the environment variable 'SECRET' is not set")
    }

    @Test(arguments: ["", "\n", "\nsecond", String(repeating: "x", count: 256)])
    func `What is no password is an error`(contents: String) {
        let count = contents.prefix { $0 != "\n" }.count
        #expect(read(byFile) { _ in contents }.error == "column 1: the password has \(count) bytes; expected 1 to 255")
    }

    @Test func `Whether a password stands in the text is known`() {
        #expect(Configuration.parse(proxyURLs: "socks5://alice:secret@10.0.0.1").configuration.holdsPasswords)
        #expect(!Configuration.parse(proxyURLs: "\(byFile),socks5://10.0.0.1").configuration.holdsPasswords)
        var parsed = Configuration.parse(proxyURLs: byFile)
        parsed.readPasswords { _ in [1] }
        #expect(!parsed.configuration.holdsPasswords)
    }
}
