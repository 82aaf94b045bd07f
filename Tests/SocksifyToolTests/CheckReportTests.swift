import Addressing
import ProxyConfig
import SocksifyTool
import Testing

@Suite struct CheckReportTests {
    private func proxy(_ last: UInt8, _ type: ProxyType = .socks5) -> Proxy {
        Proxy(type: type, host: .address(.v4(IPv4Address(10, 0, 0, last))), port: 1080)
    }

    private var lists: [ProxyCheck.ListResult] {
        var good = ProxyCheck.ProxyResult(proxy(1))
        (good.reach, good.method, good.login) = (.passed(milliseconds: 1.25), "password", .passed(milliseconds: 12.4))
        (good.connect, good.associate) = (.passed(milliseconds: 3), .passed(milliseconds: 4))
        good.bind = .failed("refused: command not supported")
        var bad = ProxyCheck.ProxyResult(proxy(2, .http))
        bad.reach = .failed("cannot be connected to: Connection refused")
        let list = ProxyList(name: Array("corp".utf8), mode: .dynamic, hops: [.proxy(0), .proxy(1)])
        return [
            ProxyCheck.ListResult(list: ProxyList(hops: [.proxy(0)]), proxies: [good]),
            ProxyCheck.ListResult(
                list: list, proxies: [good, bad], chain: .failed("socks5 10.0.0.1:1080 refused: host unreachable")),
        ]
    }

    @Test func table() {
        let target = Endpoint(host: .name(HostName("web.example")!), port: 443)
        #expect(
            CheckReport(target: target, lists: lists).table == """
                The default chain (strict_chain)
                   PROXY                 REACHED  LOGIN            CONNECTS  UDP     BIND
                ok socks5 10.0.0.1:1080  1.3 ms   password, 12 ms  3.0 ms    4.0 ms  no
                      bind: refused: command not supported

                The list corp (dynamic_chain), each proxy by itself
                   PROXY                 REACHED  LOGIN            CONNECTS  UDP     BIND
                ok socks5 10.0.0.1:1080  1.3 ms   password, 12 ms  3.0 ms    4.0 ms  no
                      bind: refused: command not supported
                NO http 10.0.0.2:1080    no
                      cannot be connected to: Connection refused
                NO  a chain of them: socks5 10.0.0.1:1080 refused: host unreachable

                """)
    }

    /// The report omits what was not tried, and says how to try it.
    @Test func tableWithoutTarget() {
        var first = ProxyCheck.ProxyResult(proxy(1, .http), reach: .passed(milliseconds: 1))
        let second = ProxyCheck.ProxyResult(proxy(2, .socks4), reach: .passed(milliseconds: 2))
        first.connect = .passed(milliseconds: 2)
        let list = ProxyList(hops: [.proxy(0), .proxy(1)])
        #expect(
            CheckReport(target: nil, lists: [ProxyCheck.ListResult(list: list, proxies: [first, second])]).table == """
                The default chain (strict_chain), each proxy through those before it
                   PROXY                 REACHED  CONNECTS
                ok http 10.0.0.1:1080    1.0 ms   2.0 ms
                ok socks4 10.0.0.2:1080  2.0 ms
                no  datagrams: only a chain of a single socks5 proxy supports them

                No connection was tried; to try one, add a destination: --check example.org:443

                """)
    }

    @Test func jsonHasTheKeysThatAreDocumented() {
        let report = CheckReport(target: nil, lists: [lists[0]])
        #expect(
            report.json == """
                {"target": null, "usable": true, "lists": [{"name": null, "mode": "strict_chain", "usable": true, \
                "chain": null, "proxies": [{"type": "socks5", "location": "10.0.0.1:1080", "usable": true, \
                "method": "password", "reach": {"ok": true, "ms": 1.25}, "login": {"ok": true, "ms": 12.4}, \
                "connect": {"ok": true, "ms": 3.0}, "udp": {"ok": true, "ms": 4.0}, \
                "bind": {"ok": false, "error": "refused: command not supported"}}]}]}

                """)
    }

    @Test func usableIsWhatCarriesConnections() {
        #expect(CheckReport(target: nil, lists: [lists[0]]).isUsable)
        #expect(!CheckReport(target: nil, lists: lists).isUsable)
        var result = ProxyCheck.ProxyResult(proxy(1))
        #expect(!result.isUsable)
        result.reach = .passed(milliseconds: 1)
        #expect(result.isUsable)
        result.associate = .failed("")
        #expect(result.isUsable)
        result.login = .failed("")
        #expect(!result.isUsable)
        result.login = .passed(milliseconds: 1)
        result.connect = .failed("")
        #expect(!result.isUsable)
    }
}
