import ProxyConfig
import Testing

@testable import SocksifyCore

@Suite struct LogSettingTests {
    private func wish(_ value: String?) -> LogSetting { LogSetting(value.map { Array($0.utf8) }) }

    @Test(arguments: [nil, ""])
    func `without a value the configuration decides`(_ value: String?) {
        let wish = wish(value)
        #expect(wish.level == nil)
        #expect(wish.file == nil)
        #expect(wish.isUnderstood)
    }

    @Test func `a level may have a file behind it`() {
        #expect(wish("debug").level == .debug)
        #expect(wish("debug").file == nil)
        #expect(wish("debug").isUnderstood)
        let both = wish("warn:/var/log/a:b")
        #expect(both.level == .warning)
        #expect(both.file == Array("/var/log/a:b".utf8))
        #expect(both.isUnderstood)
    }

    @Test(arguments: ["warn:", "warn:log", "warn:./log"])
    func `a path that is not absolute is no file`(_ value: String) {
        #expect(wish(value).level == .warning)
        #expect(wish(value).file == nil)
        #expect(!wish(value).isUnderstood)
    }

    @Test func `a file counts whatever is before it`() {
        let wish = wish("loud:/log")
        #expect(wish.level == nil)
        #expect(wish.file == Array("/log".utf8))
        #expect(!wish.isUnderstood)
    }
}
