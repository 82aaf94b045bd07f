import Addressing
import ProxyConfig
import Testing

@Suite struct DirectPatternTests {
    private func parse(_ text: String) -> ParsedConfiguration {
        Configuration.parse(directPatterns: Array(text.utf8).span)
    }

    /// A pattern means the same as the full rule.
    @Test(arguments: [
        ("10.0.0.0/8", "net 10.0.0.0/8"), ("10.0.0.1", "net 10.0.0.1"), ("10.0.0.0/8:22", "net 10.0.0.0/8 port 22"),
        ("fd00::/8", "net fd00::/8"), ("::1", "net ::1"), ("[::1]", "net ::1"),
        ("[fd00::/8]:22", "net fd00::/8 port 22"),
        (".corp.example", "host .corp.example"), ("Host:22", "host host port 22"), ("*.x:1-9", "host *.x port 1-9"),
    ])
    func patterns(pattern: String, criteria: String) {
        let rule = "[ProxyList]\nsocks5 10.0.0.1 1080\n[Rules]\ndirect \(criteria)\n"
        let parsed = parse(pattern)
        #expect(parsed.errors.isEmpty)
        #expect(parsed.configuration.rules == Configuration.parse(rule).configuration.rules)
    }

    @Test(arguments: [
        ("", 1), ("a,", 3), ("a, ,b", 4), ("10.0.0.0/33", 1), ("a:", 3), ("a:0", 3), ("a/b", 1), ("[::1", 1),
        ("[::1]x", 1), ("http://a", 1),
        ("a:1:2", 1), ("x,10.0.0.1/", 3),
    ])
    func mistakes(text: String, column: Int) {
        let errors = parse(text).errors
        #expect(errors.map(\.position) == [SourcePosition(line: errors.first?.position.line ?? 0, column: column)])
    }

    /// They precede the rules of the file, and each rule keeps its position.
    @Test func beforeAllOthers() {
        var parsed = Configuration.parse(
            "[ProxyList]\nsocks5 10.0.0.1 1080\n[Rules]\nblock net 10.0.0.0/8\nblock host x\n")
        parsed.goAround(parse("10.1.0.0/16, y"))
        let configuration = parsed.configuration
        #expect(configuration.rules.map(\.action) == [.direct, .direct, .block(.refused), .block(.refused)])
        #expect(configuration.route(to: IPAddress("10.1.0.1")!, port: 1) == .direct)
        #expect(configuration.route(to: IPAddress("10.2.0.1")!, port: 1) == .refuse(.blocked(.refused)))
        #expect(parsed.position(of: .rule(1))?.column == 14)
        #expect(parsed.position(of: .rule(2))?.line == 4)
    }
}
