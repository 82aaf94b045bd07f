import Addressing
import FakeDNS
import Testing

@Suite struct DNSResponseTests {
    /// The start of every response to a question for A of web.test, before its counts of answers, authorities and
    /// additional records.
    private let start = "1234 8180 0001"
    private let question = "0377656204746573740000010001"

    @Test func `addresses are taken in order, with the smallest time to live`() throws {
        let response = try response(
            "\(start) 0002 0000 0001 \(question) c00c 0001 0001 0000012c 0004 c0000201"
                + "c00c 0001 0001 0000003c 0004 c0000202 00 0029 1000 00000000 0000")
        #expect(response.code == .noError)
        #expect(!response.isTruncated)
        #expect(addresses(response) == ["192.0.2.1", "192.0.2.2"])
        #expect(response.timeToLive == 60)
        #expect(response.canonicalName == (try name("web.test")))
    }

    @Test func `IPv6 addresses are taken for a question for AAAA`() throws {
        let response = try response(
            """
            1234 8180 0001 0002 0000 0000 03776562047465737400001c0001
            c00c 0001 0001 0000012c 0004 c0000201
            c00c 001c 0001 0000012c 0010 20010db8000000000000000000000001
            """, .aaaa)
        #expect(addresses(response) == ["2001:db8::1"])
    }

    /// web.test → www.web.test → cdn.test, in the order that most servers use.
    private let aliases = """
        c00c 0005 0001 00000100 0006 03777777 c00c
        c026 0005 0001 00000010 0006 0363646e c010
        c038 0001 0001 00001000 0004 c0000201
        """

    @Test func `aliases are followed, and bound the time to live`() throws {
        let response = try response("\(start) 0003 0000 0000 \(question) \(aliases)")
        #expect(addresses(response) == ["192.0.2.1"])
        #expect(response.canonicalName == (try name("cdn.test")))
        #expect(response.timeToLive == 16)
    }

    @Test func `the order of records does not matter`() throws {
        let response = try response(
            """
            \(start) 0003 0000 0000 \(question)
            03777777 c00c 0001 0001 00001000 0004 c0000201
            03777777 c00c 0001 0001 00001000 0004 c0000202
            c00c 0005 0001 00000100 0006 03777777 c00c
            """)
        #expect(addresses(response) == ["192.0.2.1", "192.0.2.2"])
        #expect(response.canonicalName == (try name("www.web.test")))
    }

    @Test func `an alias without addresses has its name alone`() throws {
        let response = try response("\(start) 0002 0000 0000 \(question) \(aliases)")
        #expect(addresses(response) == [])
        #expect(response.canonicalName == (try name("cdn.test")))
    }

    @Test func `records of other names, classes and types are not taken`() throws {
        let response = try response(
            """
            \(start) 0004 0000 0000 \(question)
            0162 c00c 0001 0001 00000001 0004 c0000201
            c00c 0001 0003 00000001 0004 c0000202
            c00c 001c 0001 00000001 0010 20010db8000000000000000000000001
            c00c 0001 0001 00000002 0004 c0000203
            """)
        #expect(addresses(response) == ["192.0.2.3"])
        #expect(response.timeToLive == 2)
    }

    @Test func `addresses beside the answer are not taken`() throws {
        let response = try response(
            "\(start) 0000 0001 0001 \(question) c00c 0001 0001 00000001 0004 c0000201"
                + "c00c 0001 0001 00000001 0004 c0000202")
        #expect(response.code == .noError)
        #expect(addresses(response) == [])
        #expect(response.timeToLive == 0x7fff_ffff)
    }

    @Test func `of many addresses sixteen are taken`() throws {
        let record = "c00c 0001 0001 00000001 0004 c00002"
        let records = (1...17).map { record + String($0 + 0x10, radix: 16) }.joined()
        let response = try response("\(start) 0011 0000 0000 \(question) \(records)")
        #expect(addresses(response) == (0x11...0x20).map { "192.0.2.\($0)" })
        #expect(DNSResponse.mostAddresses == 16)
    }

    @Test func `a time to live with the highest bit counts as 0`() throws {
        let response = try response("\(start) 0001 0000 0000 \(question) c00c 0001 0001 80000000 0004 c0000201")
        #expect(response.timeToLive == 0)
    }

    @Test func `the name of an address is taken, the first of several`() throws {
        let response = try response(
            """
            1234 8180 0001 0002 0000 0000 03776562047465737400000c0001
            c00c 000c 0001 00000020 0008 05666972 7374 c010
            c00c 000c 0001 00000020 0009 067365636f6e64 c010
            """, .ptr)
        #expect(response.pointer?.hostName?.description == "first.test")
        #expect(response.timeToLive == 32)
    }

    @Test func `a code is taken without records, with the upper bits of OPT`() throws {
        let missing = try response("1234 8183 0001 0001 0000 0000 \(question) c00c 0001 0001 00000001 0004 c0000201")
        #expect(missing.code == .nameError)
        #expect(addresses(missing) == [])
        let badVersion = try response("1234 8180 0001 0000 0000 0001 \(question) 00 0029 1000 01000000 0000")
        #expect(badVersion.code == .badVersion)
    }

    @Test func `an error may come without the question, an answer may not`() throws {
        #expect(try response("1234 8181 0000 0000 0000 0000").code == .formatError)
        #expect(error("1234 8180 0000 0000 0000 0000") == .unrelated)
    }

    @Test func `of a truncated response nothing is taken`() throws {
        let response = try response("1234 8380 0001 0001 0000 0000 \(question) c00c 0001")
        #expect(response.isTruncated)
        #expect(addresses(response) == [])
    }

    @Test func `the question's letters may have changed case`() throws {
        #expect(try response("1234 8180 0001 0000 0000 0000 03574562045465737400 0001 0001").code == .noError)
    }

    @Test(arguments: [
        "1235 8180 0001 0000 0000 0000 0377656204746573740000010001",
        "1234 0180 0001 0000 0000 0000 0377656204746573740000010001",
        "1234 a180 0001 0000 0000 0000 0377656204746573740000010001",
        "1234 8180 0001 0000 0000 0000 0377656104746573740000010001",
        "1234 8180 0001 0000 0000 0000 03776562047465737400001c0001",
        "1234 8180 0001 0000 0000 0000 0377656204746573740000010003",
        "1234 8180 0002 0000 0000 0000 0377656204746573740000010001 0377656204746573740000010001",
        "1234 8183 0001 0000 0000 0000 0377656104746573740000010001",
    ])
    func `another ID, a query, another opcode and another question are unrelated`(message: String) {
        #expect(error(message) == .unrelated)
    }

    @Test(arguments: [
        // Fewer records than the count says, in each section.
        "0001 0000 0000", "0000 0001 0000", "0000 0000 0001", "ffff ffff ffff",
    ])
    func `counts that lie are malformed`(counts: String) {
        #expect(error("\(start) \(counts) \(question)") == .malformed)
    }

    @Test(arguments: [
        // Data longer than the message; addresses of 3, 5 and 0 bytes.
        "c00c 0001 0001 00000001 0005 c0000201", "c00c 0001 0001 00000001 0003 c00002",
        "c00c 0001 0001 00000001 0005 c000020100", "c00c 0001 0001 00000001 0000",
        // Pointers to themselves, onwards, into the header; of a label that leads back to itself.
        "c01a 0001 0001 00000001 0004 c0000201", "c01c 0001 0001 00000001 0004 c0000201",
        "c000 0001 0001 00000001 0004 c0000201", "0161 c01a 0001 0001 00000001 0004 c0000201",
        // Aliases shorter and longer than their names; one that points onwards.
        "c00c 0005 0001 00000001 0001 c00c", "c00c 0005 0001 00000001 0003 c00c00",
        "c00c 0005 0001 00000001 0002 c0ff",
    ])
    func `records that are made wrong are malformed`(record: String) {
        #expect(error("\(start) 0001 0000 0000 \(question) \(record)") == .malformed)
    }

    @Test func `a response that breaks off is malformed, wherever it does`() throws {
        let message = hex("\(start) 0003 0000 0001 \(question) \(aliases) 00 0029 1000 00000000 0000")
        let query = try asking(.a)
        for length in 0..<message.count {
            #expect(throws: DNSReadingError.malformed, "\(length)") {
                try DNSResponse(Array(message[..<length]), to: query)
            }
        }
    }

    @Test func `aliases in a circle end`() {
        let circle = "c00c 0005 0001 00000001 0004 0161c010 01 61 c010 0005 0001 00000001 0002 c00c"
        #expect(error("\(start) 0002 0000 0000 \(question) \(circle)") == .tooManyAliases)
        #expect(error("\(start) 0001 0000 0000 \(question) c00c 0005 0001 00000001 0002 c00c") == .tooManyAliases)
    }

    @Test func `sixteen aliases are followed, and not seventeen`() throws {
        #expect(DNSResponse.mostAliases == 16)
        #expect(addresses(try response(chain(ofAliases: 16))) == ["192.0.2.1"])
        #expect(error(chain(ofAliases: 17)) == .tooManyAliases)
    }

    /// web.test → a.test → b.test …, the last of which has an address.
    private func chain(ofAliases count: Int) -> String {
        let name = { (index: Int) in index == 0 ? "c00c" : "01" + String(0x60 + index, radix: 16) + "c010" }
        var message = "\(start) 00\(String(count + 1, radix: 16)) 0000 0000 \(question)"
        for index in 0..<count { message += name(index) + "0005 0001 00000001 0004" + name(index + 1) }
        return message + name(count) + "0001 0001 00000001 0004 c0000201"
    }

    @Test func `a name through as many pointers as there can be labels is read, and through no more`() throws {
        #expect(try response(behindPointers: 127).code == .noError)
        #expect(throws: DNSReadingError.malformed) { try response(behindPointers: 128) }
    }

    /// A record whose data is a chain of pointers, each to the one before, and one whose name points to the last.
    private func response(behindPointers count: Int) throws -> DNSResponse {
        var pointers: [UInt8] = hex("c00c")
        // The record's data begin at 26 + 12.
        for index in 1..<(count - 1) {
            let target = 38 + 2 * (index - 1)
            pointers += [0xc0 | UInt8(target >> 8), UInt8(target & 0xff)]
        }
        let last = 38 + 2 * (count - 2)
        var message = hex("\(start) 0002 0000 0000 \(question) c00c 0010 0001 00000001")
        message += [UInt8(pointers.count >> 8), UInt8(pointers.count & 0xff)] + pointers
        message += [0xc0 | UInt8(last >> 8), UInt8(last & 0xff)] + hex("0001 0001 00000001 0004 c0000201")
        return try DNSResponse(message, to: try asking(.a))
    }

    private func asking(_ type: DNSType) throws -> DNSQuery {
        DNSQuery(asking: DNSQuestion(name: try name("web.test"), type: type), id: 0x1234)
    }

    private func response(_ text: String, _ type: DNSType = .a) throws -> DNSResponse {
        try DNSResponse(hex(text).span, to: try asking(type))
    }

    private func error(_ text: String) -> DNSReadingError? {
        #expect(throws: DNSReadingError.self) { try response(text) }
    }

    private func addresses(_ response: DNSResponse) -> [String] {
        response.addresses.indices.map { response.addresses[$0].description }
    }
}

extension DNSResponse {
    init(_ message: [UInt8], to query: DNSQuery) throws(DNSReadingError) {
        try self.init(message.span, to: query)
    }
}
