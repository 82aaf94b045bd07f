import Addressing
import FakeDNS
import Testing

@Suite struct PolicyTableTests {
    /// The destinations in the order of the policy, each with its source address; `-` for none.
    private func sorted(_ pairs: [(String, String)], networkLength: Int = 24, lines: [String] = []) -> [String] {
        var table = PolicyTable()
        for line in lines { table.read(Array(line.utf8).span) }
        var sorted: [Destination] = []
        for (address, source) in pairs {
            guard let address = IPAddress(address) else {
                Issue.record("\(address)")
                continue
            }
            let destination = Destination(address, from: IPAddress(source), networkLength: networkLength)
            let place = sorted.lastIndex { !table.prefers(destination, to: $0) }
            sorted.insert(destination, at: (place ?? -1) + 1)
        }
        return sorted.map(\.address.description)
    }

    // The examples of RFC 6724 section 10.2, without those with deprecated and home addresses.
    @Test(arguments: [
        ([("198.51.100.121", "169.254.13.78"), ("2001:db8:1::1", "2001:db8:1::2")], [1, 0]),
        ([("198.51.100.121", "198.51.100.117"), ("2001:db8:1::1", "fe80::1")], [0, 1]),
        ([("10.1.2.3", "10.1.2.4"), ("2001:db8:1::1", "2001:db8:1::2")], [1, 0]),
        ([("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2")], [1, 0]),
        ([("2001:db8:1::1", "2001:db8:3::2"), ("2001:db8:1:1::1", "2001:db8:1:1::2")], [1, 0]),
        ([("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2001:db8:1::2")], [1, 0]),
        ([("2001:db8:1::1", "2002:c633:6401::2"), ("2002:c633:6401::1", "2002:c633:6401::2")], [1, 0]),
    ])
    func `orders as the examples of RFC 6724`(pairs: [(String, String)], order: [Int]) {
        #expect(sorted(pairs) == order.map { pairs[$0].0 })
    }

    @Test func `what cannot be reached comes last`() {
        #expect(sorted([("2001:db8::1", "-"), ("192.0.2.1", "192.0.2.2")]) == ["192.0.2.1", "2001:db8::1"])
    }

    @Test func `of IPv4 addresses those of the machine's own network come first, the others stay as they were`() {
        let pairs = [("10.0.0.1", "192.0.2.2"), ("192.0.3.1", "192.0.2.2"), ("192.0.2.1", "192.0.2.2")]
        #expect(sorted(pairs) == ["192.0.2.1", "10.0.0.1", "192.0.3.1"])
        #expect(sorted(pairs, networkLength: 16) == ["192.0.2.1", "192.0.3.1", "10.0.0.1"])
        #expect(sorted(pairs, networkLength: 32) == ["10.0.0.1", "192.0.3.1", "192.0.2.1"])
    }

    private let both = [("2001:db8::1", "2001:db8::2"), ("192.0.2.1", "192.0.2.2")]

    @Test(arguments: [
        "precedence ::ffff:0:0/96 100", "\tPrecedence  ::ffff:192.0.2.0/120\t100 # IPv4 first",
        "precedence 192.0.2.0/24 41",
        "precedence 192.0.2.1 41",
    ])
    func `a file can have IPv4 come first`(line: String) {
        #expect(sorted(both) == ["2001:db8::1", "192.0.2.1"])
        #expect(sorted(both, lines: [line]) == ["192.0.2.1", "2001:db8::1"])
    }

    @Test(arguments: [
        "", "#precedence ::ffff:0:0/96 100", "precedence ::ffff:0:0/96", "precedence ::ffff:0:0/129 100",
        "precedence ::ffff:0:0/ 100", "precedence 192.0.2.0/33 100", "precedence ::ffff:0:0/96 -1",
        "precedences ::/0 100",
        "precedence ::ffff:0:0/96 99999999999", "reload yes", "precedence name/96 100",
    ])
    func `a line that is none changes nothing`(line: String) {
        #expect(sorted(both, lines: [line]) == ["2001:db8::1", "192.0.2.1"])
    }

    @Test func `labels and scopes of a file count in place of all of libc's`() {
        // Its source then has another label.
        let pairs = [("2001:db8::1", "2001:db9::2"), ("192.0.2.1", "192.0.2.2")]
        #expect(sorted(pairs, lines: ["label 2001:db8::/32 9"]) == ["192.0.2.1", "2001:db8::1"])
        #expect(
            sorted(
                [("192.0.2.1", "192.0.2.2"), ("10.0.0.1", "10.0.0.2")], networkLength: 32,
                lines: ["scopev4 10.0.0.0/8 5"])
                == ["10.0.0.1", "192.0.2.1"])
    }
}
