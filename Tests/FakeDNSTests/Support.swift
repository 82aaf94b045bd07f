import Addressing
import FakeDNS
import Testing

/// The bytes of hexadecimal digits, which white space may separate.
func hex(_ text: String) -> [UInt8] {
    let digits = text.utf8.compactMap(hexadecimalDigit)
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

func name(_ text: String) throws -> DNSName {
    try #require(DNSName(text))
}

func address(_ text: String) throws -> IPAddress {
    try #require(IPAddress(text))
}

// #expect and #require accept no call with a span.
extension DNSName {
    init?(_ text: String) {
        self.init(Array(text.utf8).span)
    }
}

extension DNSQuery {
    init?(_ message: [UInt8]) {
        self.init(message.span)
    }
}

/// A query from a program.
func query(_ message: [UInt8]) throws -> DNSQuery {
    try #require(DNSQuery(message))
}

/// The message that `write` writes into memory of this size; nil when it writes none.
func message(
    memory size: Int = 4096, _ write: (consuming MutableSpan<UInt8>) -> Int?
) -> [UInt8]? {
    var memory = [UInt8](repeating: 0xee, count: size)
    return write(memory.mutableSpan).map { Array(memory.prefix($0)) }
}

/// Messages as dig 9.18 and dnspython 2.3 send them.
enum Captured {
    /// dig web.test
    static let a = hex(
        """
        9458 0120 0001 0000 0000 0001 0377656204746573740000010001
        00 0029 04d0 00000000 000c 000a 0008 90c50bdee5b56290
        """)
    /// dig +noedns WEB.test AAAA
    static let aaaaInCapitals = hex("2f4c 0120 0001 0000 0000 0000 03574542047465737400 001c 0001")
    /// dig -x 192.0.2.1
    static let reverseIPv4 = hex(
        """
        c70f 0120 0001 0000 0000 0001 01310132013003313932 07696e2d61646472 0461727061 00 000c 0001
        00 0029 04d0 00000000 000c 000a 0008 440c41156d5a9a5f
        """)
    /// dig -x 2001:db8::1
    static let reverseIPv6 = hex(
        """
        8f71 0120 0001 0000 0000 0001
        0131 0130 0130 0130 0130 0130 0130 0130 0130 0130 0130 0130 0130 0130 0130 0130
        0130 0130 0130 0130 0130 0130 0130 0130 0138 0162 0164 0130 0131 0130 0130 0132 03697036 0461727061 00 000c 0001
        00 0029 04d0 00000000 000c 000a 0008 0cb2406de6b4bf68
        """)
    /// dig +dnssec web.test HTTPS
    static let https = hex(
        """
        bff0 0120 0001 0000 0000 0001 0377656204746573740000410001
        00 0029 04d0 00008000 000c 000a 0008 1dd035228dde25f8
        """)
    /// dig +edns=1 +noednsneg web.test
    static let laterEDNS = hex(
        """
        2396 0120 0001 0000 0000 0001 0377656204746573740000010001
        00 0029 04d0 00010000 000c 000a 0008 6690bcfaa77a4760
        """)
    /// dig . NS
    static let root = hex(
        """
        fbe1 0120 0001 0000 0000 0001 00 0002 0001
        00 0029 04d0 00000000 000c 000a 0008 41f23816e0332084
        """)
    /// dig +opcode=NOTIFY web.test
    static let notify = hex(
        """
        79f3 2120 0001 0000 0000 0001 0377656204746573740000010001
        00 0029 04d0 00000000 000c 000a 0008 2eeb2d19068ee47a
        """)
    /// dig +padding=64 +subnet=192.0.2.0/24 web.test: three options
    static let threeOptions = hex(
        """
        9e4c 0120 0001 0000 0000 0001 0377656204746573740000010001
        00 0029 04d0 00000000 001b 0008 0007 00011800c00002 000a 0008 f696385895a262d6 000c 0000
        """)
    /// dig -c CH -t TXT version.bind
    static let chaos = hex(
        """
        596b 0120 0001 0000 0000 0001 0776657273696f6e0462696e64000010 0003
        00 0029 04d0 00000000 000c 000a 0008 b28aec066e78f1c8
        """)
    /// dnspython: make_query("web.test", "AAAA", payload=4096, want_dnssec=True)
    static let dnspython = hex(
        "1234 0100 0001 0000 0000 0001 03776562047465737400001c0001 00 0029 1000 00008000 0000")

    static let all = [
        a, aaaaInCapitals, reverseIPv4, reverseIPv6, https, laterEDNS, root, notify, threeOptions, chaos, dnspython,
    ]
}
