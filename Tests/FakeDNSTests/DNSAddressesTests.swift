import Addressing
import FakeDNS
import Testing

/// The addresses in a message; 127.0.0.1 and ::1 are not allowed here.
@Suite struct DNSAddressesTests {
    private let question = "0377656204746573740000010001"
    private let record = "c00c 0001 0001 0000012c 0004"

    private func areAllowed(_ text: String) -> Bool {
        let refused = [IPAddress("127.0.0.1")!, IPAddress("::1")!]
        return DNSAddresses.all(in: hex(text).span) { !refused.contains($0) }
    }

    @Test func `Every address is looked at`() {
        #expect(areAllowed("1234 8180 0001 0000 0000 0000 \(question)"))
        #expect(areAllowed("1234 8180 0001 0001 0000 0000 \(question) \(record) c0000201"))
        #expect(!areAllowed("1234 8180 0001 0001 0000 0000 \(question) \(record) 7f000001"))
        #expect(
            !areAllowed("1234 8180 0001 0002 0000 0000 \(question) \(record) c0000201 \(record) 7f000001"))
        #expect(
            !areAllowed(
                "1234 8180 0001 0001 0000 0000 \(question) c00c 001c 0001 00000001 0010"
                    + "00000000000000000000000000000001"))
    }

    @Test func `In whatever section, of whatever name`() {
        #expect(!areAllowed("1234 8180 0001 0000 0001 0000 \(question) \(record) 7f000001"))
        #expect(!areAllowed("1234 8180 0001 0000 0000 0001 \(question) \(record) 7f000001"))
        #expect(
            !areAllowed("1234 8180 0001 0001 0000 0000 \(question) 0162 c00c 0001 0001 00000001 0004 7f000001"))
    }

    /// `1 . ipv4hint=192.0.2.1,127.0.0.1` and `1 . ipv6hint=::1`, behind an ALPN.
    @Test func `Hints are looked at`() {
        let start = "1234 8180 0001 0001 0000 0000 \(question) c00c 0041 0001 00000001"
        #expect(areAllowed("\(start) 0016 0001 00 0001 0003 026832 0004 0008 c0000201 c0000202"))
        #expect(!areAllowed("\(start) 0016 0001 00 0001 0003 026832 0004 0008 c0000201 7f000001"))
        #expect(!areAllowed("\(start) 0017 0001 00 0006 0010 00000000000000000000000000000001"))
        // Three bytes are too short for an address, and an address may not extend beyond the record.
        #expect(!areAllowed("\(start) 000a 0001 00 0004 0003 c00002"))
        #expect(!areAllowed("\(start) 000b 0001 00 0004 0008 c0000201"))
    }

    @Test func `What cannot be read brings none that is allowed`() {
        #expect(!areAllowed(""))
        #expect(!areAllowed("1234 8180 0001 0001 0000 0000 \(question) \(record) c00002"))
        #expect(!areAllowed("1234 8180 0001 0002 0000 0000 \(question) \(record) c0000201"))
        // TC: the message was truncated.
        #expect(areAllowed("1234 8380 0001 0002 0000 0000 \(question)"))
    }
}
