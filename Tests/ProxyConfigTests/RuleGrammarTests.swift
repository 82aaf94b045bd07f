import Addressing
import ProxyConfig
import Testing

private let lists = "[Proxies corp]\nsocks5 10.0.0.1 1\n[Proxies tor]\nsocks5 10.0.0.2 2\n"

/// The rules of lines that have neither errors nor warnings; nil for others. The lists are 1, `corp`, and 2, `tor`.
private func rules(_ lines: String) -> [Rule]? {
    let parsed = Configuration.parse("[Rules]\n\(lines)\n" + lists)
    return parsed.errors.isEmpty ? parsed.configuration.rules : nil
}

private func mistakesOfRule(_ line: String) -> [String] {
    Configuration.parse("[Rules]\n\(line)\n" + lists).errors.map(\.description)
}

private func criteria(_ change: (inout Rule.Criteria) -> Void) -> Rule.Criteria {
    var criteria = Rule.Criteria()
    change(&criteria)
    return criteria
}

private func network(_ address: String, _ prefixLength: UInt8) -> IPNetwork {
    switch IPAddress(address)! {
    case .v4(let address): IPNetwork(address, prefixLength: prefixLength)
    case .v6(let address): IPNetwork(address, prefixLength: prefixLength)
    }
}

@Suite struct RuleGrammarTests {
    @Test(arguments: [
        ("direct", Rule.Action.direct), ("block", .block(.refused)), ("block refused", .block(.refused)),
        ("block\tunreachable", .block(.unreachable)), ("proxy", .proxy(list: 0)), ("proxy corp", .proxy(list: 1)),
        ("  proxy   tor ", .proxy(list: 2)),
    ])
    func actions(line: String, action: Rule.Action) {
        #expect(rules(line) == [Rule(action)])
        let criterion = criteria { $0.ports = [25...25] }
        #expect(rules(line + " port 25") == [Rule(action, criterion)])
    }

    @Test(arguments: [
        ("www.example.org", HostPattern.name(Array("www.example.org".utf8))),
        ("WWW.Example.ORG.", .name(Array("www.example.org".utf8))), ("localhost", .name(Array("localhost".utf8))),
        (".corp.example", .domain(Array("corp.example".utf8))), (".Onion.", .domain(Array("onion".utf8))),
        ("*.onion", .glob(Array("*.onion".utf8))), ("HOST?.*.example.", .glob(Array("host?.*.example".utf8))),
        ("*", .glob(Array("*".utf8))), ("163.*", .glob(Array("163.*".utf8))),
    ])
    func hosts(word: String, pattern: HostPattern) {
        #expect(rules("direct host \(word)") == [Rule(.direct, criteria { $0.hosts = [pattern] })])
    }

    @Test(arguments: [
        ("10.0.0.0/8", network("10.0.0.0", 8)), ("10.1.2.3", network("10.1.2.3", 32)),
        ("0.0.0.0/0", network("0.0.0.0", 0)), ("fd00::/8", network("fd00::", 8)), ("::1", network("::1", 128)),
        ("::/0", network("::", 0)),
        // Rules see such addresses as IPv4.
        ("::ffff:10.0.0.0/104", network("10.0.0.0", 8)), ("::ffff:10.0.0.1", network("10.0.0.1", 32)),
    ])
    func networks(word: String, expected: IPNetwork) {
        #expect(rules("block net \(word)") == [Rule(.block(.refused), criteria { $0.networks = [expected] })])
    }

    /// A criterion may have all its values in one word, or occur several times.
    @Test(arguments: [
        "direct host a,.b net 10.0.0.1,::1/64 port 1,80-90,65535 proto tcp,udp command connect,udp",
        "direct host a host .b net 10.0.0.1 net ::1/64 port 1 port 80-90,65535 proto tcp proto udp command connect "
            + "command udp",
        "direct command connect host a port 1 net 10.0.0.1,::1/64 proto tcp host .b port 80-90 command udp port 65535 "
            + "proto udp",
    ])
    func severalValues(line: String) {
        let expected = criteria {
            $0.hosts = [.name([97]), .domain([98])]
            $0.networks = [network("10.0.0.1", 32), network("::1", 64)]
            $0.ports = [1...1, 80...90, 65535...65535]
            $0.transports = [.tcp, .udp]
            $0.commands = [.connect, .udp]
        }
        #expect(rules(line) == [Rule(.direct, expected)])
    }

    /// The keywords of rules may be names of lists, except at the place of a criterion.
    @Test func namesOfLists() {
        let parsed = Configuration.parse(
            "[Proxies proxy]\nsocks5 ::1 1\n[Proxies direct]\nsocks5 ::1 1\n[Rules]\nproxy proxy port 1\nproxy direct")
        #expect(parsed.errors.isEmpty)
        #expect(parsed.configuration.rules.map(\.action) == [.proxy(list: 1), .proxy(list: 2)])
        #expect(
            errors("[Proxies port]").first
                == "line 1, column 10: 'port' does not fit here; expected the name of a list: letters, digits, '-', '_' "
                + "and '.', but no word of a rule")
    }

    @Test(arguments: [
        ("allow net 10.0.0.0/8", "1: 'allow' is not an action; expected direct, block or proxy"),
        ("dns fake", "1: 'dns' belongs above all sections, or into [App PATTERN]"),
        ("socks5 10.0.0.1 1080", "1: 'socks5' is not an action; expected direct, block or proxy"),
        ("direct 10.0.0.0/8", "8: '10.0.0.0/8' is not a criterion; expected host, net, port, proto or command"),
        ("direct Host a", "8: 'Host' is not a criterion; expected host, net, port, proto or command"),
        ("direct host a b", "15: 'b' is not a criterion; expected host, net, port, proto or command"),
        ("direct # all", "8: '#' is not a criterion; expected host, net, port, proto or command"),
        ("block rejected", "7: 'rejected' is not a criterion; expected host, net, port, proto or command"),
        ("proxy coprp host a", "7: there is no [Proxies coprp] in this file"),
        ("proxy Corp", "7: there is no [Proxies Corp] in this file"),
        (
            "direct host",
            "12: expected a name, as in 'www.example.org', '.example.org' or '*.example.*'"
        ),
        (
            "direct host a,,b",
            "15: expected a name, as in 'www.example.org', '.example.org' or '*.example.*'"
        ),
        (
            "direct host a,",
            "15: expected a name, as in 'www.example.org', '.example.org' or '*.example.*'"
        ),
        ("direct host 10.0.0.1", "13: '10.0.0.1' is not a name; expected 'net' before an address"),
        ("direct host 10.0.0.0/8", "13: '10.0.0.0/8' is not a name; expected 'net' before an address"),
        ("direct host a,::1", "15: '::1' is not a name; expected 'net' before an address"),
        ("direct host [::1]", "13: '[::1]' is not a name; expected 'net' before an address"),
        (
            "direct host .",
            "13: '.' does not fit here; expected a name, as in 'www.example.org', '.example.org' or '*.example.*'"
        ),
        (
            "direct host a..b",
            "13: 'a..b' does not fit here; expected a name, as in 'www.example.org', '.example.org' or '*.example.*'"
        ),
        (
            "direct host 10.0.0.300",
            "13: '10.0.0.300' does not fit here; expected a name, as in 'www.example.org', '.example.org' or "
                + "'*.example.*'"
        ),
        (
            "direct host *.ex/mple",
            "13: '*.ex/mple' does not fit here; expected a name, as in 'www.example.org', '.example.org' or "
                + "'*.example.*'"
        ),
        ("direct net", "11: expected an address or a network, as in '10.0.0.0/8' or 'fd00::/8'"),
        (
            "direct net example.org",
            "12: 'example.org' does not fit here; expected an address or a network, as in '10.0.0.0/8' or 'fd00::/8'"
        ),
        (
            "direct net 10.0.0.0/33",
            "12: '10.0.0.0/33' does not fit here; expected an address or a network, as in '10.0.0.0/8' or 'fd00::/8'"
        ),
        (
            "direct net 10.0.0.0/",
            "12: '10.0.0.0/' does not fit here; expected an address or a network, as in '10.0.0.0/8' or 'fd00::/8'"
        ),
        (
            "direct net ::/129",
            "12: '::/129' does not fit here; expected an address or a network, as in '10.0.0.0/8' or 'fd00::/8'"
        ),
        ("direct port", "12: expected ports, as in '443' or '8000-8999'"),
        ("direct port 0", "13: '0' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct port 0-9", "13: '0-9' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct port 9-8", "13: '9-8' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct port 9-", "13: '9-' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct port -9", "13: '-9' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct port 65536", "13: '65536' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct port https", "13: 'https' does not fit here; expected ports, as in '443' or '8000-8999'"),
        ("direct proto", "13: expected tcp or udp"),
        ("direct proto icmp", "14: 'icmp' does not fit here; expected tcp or udp"),
        ("direct command", "15: expected connect, bind or udp"),
        ("direct command tcp", "16: 'tcp' does not fit here; expected connect, bind or udp"),
        ("direct proto tcp command udp", "8: 'proto tcp command udp' excludes everything"),
        ("direct proto udp command connect", "8: 'proto udp command connect' excludes everything"),
        ("direct command bind proto udp", "8: 'command bind proto udp' excludes everything"),
        ("block command bind host a", "7: 'command bind host a' excludes everything"),
        ("proxy command bind", "7: 'command bind' is not implemented in this version"),
        ("proxy port 21 command connect,bind", "15: 'command connect,bind' is not implemented in this version"),
    ])
    func mistakes(line: String, error: String) {
        #expect(mistakesOfRule(line) == ["line 2, column \(error)"])
    }

    /// A rule after one that matches everything is a mistake, unless it names listening sockets.
    @Test func neverReached() {
        let message = "a rule above matches everything, so this one is never reached"
        #expect(
            warnings("[Rules]\nblock port 25\ndirect\nblock port 26\nblock command bind\ndirect")
                == ["line 4, column 1: \(message)", "line 6, column 1: \(message)"])
        #expect(warnings("[App a]\ndirect\n[App b]\nblock port 1\n[Rules]\nblock port 2").isEmpty)
        #expect(warnings("[App a]\ndirect\nblock port 1") == ["line 3, column 1: \(message)"])
    }
}
