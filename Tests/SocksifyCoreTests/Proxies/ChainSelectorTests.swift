import Addressing
import ProxyConfig
import SOCKS5
import Testing

@testable import SocksifyCore

@Suite struct ChainSelectorTests {
    private let three = "socks5 192.0.2.1 1080\nsocks5 192.0.2.2 1080\nsocks5 192.0.2.3 1080\n"
    private let request = Request(
        command: .connect, destination: Endpoint(host: .address(address("198.51.100.1")), port: 80))

    /// The first proxies of so many chains, one after the other.
    private func firsts(_ count: Int, _ proxies: borrowing Proxies, _ request: Request? = nil) -> [Int?] {
        var firsts: [Int?] = []
        for _ in 0..<count {
            var failed = ProxySet()
            let way = try? proxies.selectChain(throughList: 0, for: request ?? self.request, from: .own, &failed)
            firsts.append(way?.chain[0])
        }
        return firsts
    }

    @Test func `round robin goes on where the process tree was`() {
        let turns = keyedWords()
        let text = "round_robin_chain\nchain_len = 1\n[ProxyList]\n\(three)"
        let one = proxies(text, turns: turns)
        let other = proxies(text, turns: turns)
        #expect(firsts(2, one) == [0, 1])
        #expect(firsts(2, other) == [2, 0])
        #expect(firsts(1, one) == [1])
    }

    @Test func `a chain that is only asked for takes no turn`() {
        let proxies = proxies("round_robin_chain\nchain_len = 1\n[ProxyList]\n\(three)")
        for _ in 0..<3 {
            let way = proxies.selectAnotherChain(
                throughList: 0, for: request, from: .own, besides: ProxySet(), isTaken: false)
            #expect(way?.chain[0] == 0)
        }
        let way = proxies.selectAnotherChain(
            throughList: 0, for: request, from: .own, besides: ProxySet(), isTaken: true)
        #expect(way?.chain[0] == 0)
        #expect(firsts(1, proxies) == [1])
    }

    @Test func `lists have turns of their own`() {
        let proxies = proxies(
            "round_robin_chain\nchain_len = 1\n[ProxyList]\n\(three)\n[Proxies b]\nround_robin_chain\nchain_len = 1\n\(three)"
        )
        #expect(firsts(2, proxies) == [0, 1])
        #expect(proxies.cursors.word(of: 0)?.pointee.load(ordering: .relaxed) != 0)
        #expect(proxies.cursors.word(of: 1)?.pointee.load(ordering: .relaxed) == 0)
        #expect(proxies.cursors.word(of: 2) == nil)
        #expect(proxies.cursors.word(of: -1) == nil)
    }

    @Test func `a proxy that has failed is left out`() {
        let proxies = proxies("failover_chain\nchain_len = 1\n[ProxyList]\n\(three)")
        #expect(firsts(1, proxies) == [0])
        proxies.health.note(failureOf: 0)
        #expect(firsts(1, proxies) == [1])
        proxies.health.note(answerOf: 0)
        #expect(firsts(1, proxies) == [0])
    }

    @Test func `datagrams go through a single SOCKS5 proxy alone`() {
        let association = Request.associating(overIPv6: false)
        let text = "strict_chain\nlog off\n[ProxyList]\n"
        let one = proxies(text + "socks5 192.0.2.1 1080\n")
        let chain = proxies(text + three)
        let http = proxies(text + "http 192.0.2.1 3128\n")
        #expect(firsts(1, one, association) == [0])
        #expect(firsts(1, chain, association) == [nil])
        #expect(firsts(1, http, association) == [nil])
        #expect(firsts(1, http) == [0])
    }
}
