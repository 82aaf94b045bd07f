import Addressing
import FakeDNS
import Testing

@Suite struct DNSNeedTests {
    @Test func `A and AAAA need addresses of their family`() throws {
        let host = try #require(HostName("web.test"))
        #expect(try need(Captured.a) == .addresses(of: host, .ipv4))
        #expect(try need(Captured.aaaaInCapitals) == .addresses(of: host, .ipv6))
    }

    @Test func `a question about any class is one about the Internet's`() throws {
        #expect(try need("web.test", .a, DNSClass.any) == .addresses(of: try #require(HostName("web.test")), .ipv4))
    }

    @Test func `other classes are refused`() throws {
        #expect(try need(Captured.chaos) == .nothing(.refused))
        #expect(try need("web.test", .a, DNSClass(code: 4)) == .nothing(.refused))
        #expect(try need("web.test", .a, DNSClass(code: 254)) == .nothing(.refused))
    }

    @Test func `what is no text is no host, and the root has no addresses`() throws {
        #expect(try need(hex("0001 0100 0001 0000 0000 0000 03612e62 00 0001 0001")) == .nothing(.nameError))
        #expect(try need(hex("0001 0100 0001 0000 0000 0000 00 0001 0001")) == .nothing(.noError))
    }

    @Test func `PTR of an address needs its name`() throws {
        #expect(try need(Captured.reverseIPv4) == .name(of: try address("192.0.2.1")))
        #expect(try need(Captured.reverseIPv6) == .name(of: try address("2001:db8::1")))
    }

    @Test func `a name of the reverse domains that is no address's is not there`() throws {
        #expect(try need("2.0.192.in-addr.arpa", .ptr) == .nothing(.nameError))
        #expect(try need("1.ip6.arpa", .ptr) == .nothing(.nameError))
    }

    @Test func `HTTPS and SVCB have no data`() throws {
        #expect(try need(Captured.https) == .nothing(.noError))
        #expect(try need("_dns.web.test", .svcb) == .nothing(.noError))
    }

    /// NS, CNAME, SOA, MX, TXT, SRV, DS, AXFR, ANY, CAA, and an unassigned type.
    @Test(arguments: [2, 5, 6, 15, 16, 33, 43, 252, 255, 257, 65280] as [UInt16])
    func `what only a server knows is not implemented, for reverse names as well`(type: UInt16) throws {
        #expect(try need("web.test", DNSType(code: type)) == .nothing(.notImplemented))
        #expect(try need("1.2.0.192.in-addr.arpa", DNSType(code: type)) == .nothing(.notImplemented))
    }

    @Test func `PTR of other names is not implemented`() throws {
        #expect(try need("_http._tcp.web.test", .ptr) == .nothing(.notImplemented))
        #expect(try need(hex("0001 0100 0001 0000 0000 0000 00 000c 0001")) == .nothing(.notImplemented))
    }

    @Test func `a query with an error is answered by it`() throws {
        #expect(try need(Captured.laterEDNS) == .nothing(.badVersion))
        #expect(try need(Captured.notify) == .nothing(.notImplemented))
        #expect(try need(Array(Captured.a.dropLast())) == .nothing(.formatError))
    }

    private func need(_ message: [UInt8]) throws -> DNSNeed {
        DNSNeed(try query(message))
    }

    private func need(_ text: String, _ type: DNSType, _ recordClass: DNSClass = .internet) throws -> DNSNeed {
        DNSNeed(DNSQuery(asking: DNSQuestion(name: try name(text), type: type, recordClass: recordClass), id: 1))
    }
}
