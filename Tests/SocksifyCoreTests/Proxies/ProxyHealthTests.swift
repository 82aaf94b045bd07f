import ProxyConfig
import Testing

@testable import SocksifyCore

@Suite struct ProxyHealthTests {
    private let text =
        "dead_time 60\n[ProxyList]\nsocks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080\nsocks5 192.0.2.3 1080\n"

    private func slots(_ set: ProxySet) -> [Int] { (0..<4).filter { set.contains($0) } }

    @Test func `a proxy that has failed is dead until it answers`() {
        let proxies = proxies(text)
        let health = proxies.health
        #expect(slots(health.dead) == [])
        health.note(failureOf: 0)
        health.note(failureOf: 2)
        #expect(slots(health.dead) == [0, 2])
        health.note(answerOf: 2)
        health.note(answerOf: 1)
        #expect(slots(health.dead) == [0])
    }

    @Test func `a slot that the configuration has not is none that could fail`() {
        let proxies = proxies(text)
        proxies.health.note(failureOf: 3)
        proxies.health.note(failureOf: -1)
        #expect(slots(proxies.health.dead) == [])
    }

    @Test func `processes tell each other of proxies, wherever each has them`() {
        let failures = keyedWords()
        let one = proxies(text, failures: failures)
        let other = proxies("[ProxyList]\nhttp 192.0.2.1 1080\nsocks5 192.0.2.3 1080\n", failures: failures)
        one.health.note(failureOf: 2)
        one.health.note(failureOf: 0)
        #expect(slots(other.health.dead) == [1])
    }

    @Test func `with dead_time 0 nothing is remembered`() {
        let proxies = proxies("dead_time 0\n[ProxyList]\nsocks5 192.0.2.1 1080\n")
        proxies.health.note(failureOf: 0)
        #expect(slots(proxies.health.dead) == [])
    }

    @Test func `a failure is forgotten after the time, and one to come is none`() {
        let failures = keyedWords()
        let proxies = proxies(text, failures: failures)
        proxies.health.note(failureOf: 0)
        let key = Fingerprint(proxies.configuration.proxies[0]).value
        for time in [Clock.now - 60_000, Clock.now + 3_600_000] {
            failures.word(of: key, isMade: false)?.pointee.store(UInt64(bitPattern: Int64(time)), ordering: .relaxed)
            #expect(slots(proxies.health.dead) == [])
        }
    }
}
