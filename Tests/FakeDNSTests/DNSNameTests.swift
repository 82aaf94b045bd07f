import FakeDNS
import Testing

@Suite struct DNSNameTests {
    @Test func `a name of text is labels behind their lengths, and the root`() throws {
        #expect(bytes(try name("web.test")) == hex("03 776562 04 74657374 00"))
        #expect(bytes(try name("web.test.")) == hex("03 776562 04 74657374 00"))
        #expect(bytes(try name("a")) == hex("01 61 00"))
    }

    @Test func `a label has up to 63 bytes, a name up to 255 with all lengths`() throws {
        let label = String(repeating: "l", count: 63)
        let longest = [label, label, label, String(repeating: "l", count: 61)].joined(separator: ".")
        #expect(bytes(try name(longest)).count == 255)
        #expect(try name(longest).hostName?.description == longest)
        #expect(DNSName(longest + "l") == nil)
        #expect(DNSName(label + "l") == nil)
    }

    @Test(arguments: ["", ".", "a..b", ".a", "a.."])
    func `a text with an empty label is no name`(text: String) {
        #expect(DNSName(text) == nil)
    }

    @Test func `the text of a name keeps its letters, and has no final dot`() throws {
        #expect(try question(hex("03574542 0474657374 00")).hostName?.description == "WEB.test")
        #expect(try question(hex("05c3bc626572 0474657374 00")).hostName?.description == "über.test")
    }

    @Test(arguments: ["03612e62", "03615c62", "03612062", "03610062", "03617f62"])
    func `a name whose text would be another one has none, nor has the root`(label: String) throws {
        #expect(try question(hex(label + "0474657374 00")).hostName == nil)
        #expect(try question([0]).hostName == nil)
    }

    @Test func `names are equal whatever the case of their letters`() throws {
        #expect(try name("Web.TEST") == name("wEB.test"))
        #expect(try name("web.test") != name("wea.test"))
        #expect(try name("a.bc") != name("ab.c"))
    }

    /// A name in wire format.
    private func question(_ name: [UInt8]) throws -> DNSName {
        let message = hex("0000 0000 0001 0000 0000 0000") + name + hex("0001 0001")
        return try #require(try query(message).question).name
    }

    private func bytes(_ name: DNSName) -> [UInt8] {
        name.bytes.indices.map { name.bytes[$0] }
    }
}
