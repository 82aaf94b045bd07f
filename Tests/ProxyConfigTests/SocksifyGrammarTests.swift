import ProxyConfig
import Testing

@Suite struct SocksifyGrammarTests {
    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func loopback(style: ConfigurationStyle) {
        #expect(flawless("loopback direct", style: style)?.loopback == .direct)
        #expect(flawless("loopback proxy", style: style)?.loopback == .proxy)
    }

    @Test(arguments: [ConfigurationStyle.socksify, .proxychains])
    func dns(style: ConfigurationStyle) {
        #expect(flawless("dns fake", style: style)?.dns == .fake)
        #expect(flawless("dns local", style: style)?.dns == .local)
    }

    @Test(arguments: [
        ("off", LogLevel.off), ("error", .error), ("warn", .warning), ("info", .info), ("debug", .debug),
    ])
    func log(word: String, level: LogLevel) {
        #expect(flawless("log \(word)")?.logLevel == level)
        #expect(LogLevel(parsing: Array(word.utf8).span) == level)
    }

    @Test(arguments: ["", "OFF", "warning", "1", "off ", "debug\0"])
    func noLogLevel(word: String) {
        #expect(LogLevel(parsing: Array(word.utf8).span) == nil)
    }

    @Test(arguments: [
        ("loopback", "9: expected direct or proxy"),
        ("loopback Direct", "10: 'Direct' does not fit here; expected direct or proxy"),
        ("loopback direct now", "17: 'now' is too much here; a comment needs a line of its own"),
        ("dns", "4: expected fake or local"),
        ("dns real", "5: 'real' does not fit here; expected fake or local"),
        ("dns fake # on", "10: '# on' is too much here; a comment needs a line of its own"),
        ("dns tor", "1: 'dns tor' is not implemented in this version"),
        ("dns tcp 1.1.1.1:53", "1: 'dns tcp' is not implemented in this version"),
        ("log", "4: expected off, error, warn, info or debug"),
        ("log loud", "5: 'loud' does not fit here; expected off, error, warn, info or debug"),
        ("log info /tmp/log", "1: 'log info /tmp/log' is not implemented in this version"),
        ("udp associate", "1: 'udp' is not implemented in this version"),
        ("bind direct", "1: 'bind' is not implemented in this version"),
        ("isolate tree", "1: 'isolate' is not implemented in this version"),
        ("[Rules]\ndirect net 10.0.0.0/8", "1: '[Rules]' is not implemented in this version"),
        ("[Proxies tor]\nsocks5 ::1 9050", "1: '[Proxies tor]' is not implemented in this version"),
        ("[App curl wget]\nstrict_chain", "1: '[App curl wget]' is not implemented in this version"),
        ("dnsx fake", "1: 'dnsx' is no keyword"), ("loopbackproxy", "1: 'loopbackproxy' is no keyword"),
    ])
    func mistakes(text: String, error: String) {
        #expect(errors(text) == ["line 1, column \(error)"])
    }

    /// A part of the language that is not there yet is an error in a file of proxychains as well: that file
    /// is meant for socksify.
    @Test(arguments: [
        "udp block", "bind proxy", "isolate tree", "dns tor", "[Rules]", "[App x]", "[Proxies x]",
    ])
    func neverIgnored(text: String) {
        #expect(errors(text, style: .proxychains).count == 1)
    }

    /// Sections after the list of proxies are found, too, and the list goes on after them.
    @Test func sections() {
        let text =
            "[ProxyList]\nsocks5 ::1 1\n[Rules]\nblock port 25\n[Ruls]\nfoo\n[ProxyList]\nsocks5 ::1 2\n[ProxyList]"
        #expect(
            errors(text) == [
                "line 3, column 1: '[Rules]' is not implemented in this version",
                "line 5, column 1: '[Ruls]' is no section; expected [ProxyList]",
                "line 9, column 1: there is a [ProxyList] above; all proxies belong into one",
            ])
    }
}
