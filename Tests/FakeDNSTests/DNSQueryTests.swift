import FakeDNS
import Testing

@Suite struct DNSQueryTests {
    @Test func `a query of dig is read with its flags and its EDNS`() throws {
        let query = try query(Captured.a)
        #expect(query.id == 0x9458)
        #expect(query.flags == [.recursionDesired, .authenticData])
        #expect(query.flags.opcode == .query)
        #expect(query.question == DNSQuestion(name: try name("web.test"), type: .a))
        #expect(query.edns?.payloadSize == 1232)
        #expect(query.edns?.version == 0)
        #expect(query.edns?.isDNSSECOK == false)
        #expect(query.error == nil)
    }

    @Test func `a query without EDNS has none, and takes 512 bytes`() throws {
        let query = try query(Captured.aaaaInCapitals)
        #expect(query.question == DNSQuestion(name: try name("web.test"), type: .aaaa))
        #expect(query.question?.name.hostName?.description == "WEB.test")
        #expect(query.edns == nil)
        #expect(query.largestAnswer == 512)
        #expect(query.error == nil)
    }

    @Test func `DO and the payload size are read`() throws {
        let query = try query(Captured.dnspython)
        #expect(query.edns?.isDNSSECOK == true)
        #expect(query.edns?.payloadSize == 4096)
        #expect(query.largestAnswer == 4096)
    }

    @Test func `CD is read`() throws {
        #expect(try query(hex("0001 0010 0001 0000 0000 0000 00 0001 0001")).flags == .checkingDisabled)
    }

    @Test(arguments: [Captured.threeOptions, Captured.https, Captured.root, Captured.reverseIPv6])
    func `options, DO, the root and long names are no mistakes`(message: [UInt8]) throws {
        let query = try query(message)
        #expect(query.error == nil)
        #expect(query.question != nil && query.edns != nil)
    }

    @Test func `a payload size under 512 counts as 512`() throws {
        let message = hex("0001 0100 0001 0000 0000 0001 00 0001 0001 00 0029 01ff 00000000 0000")
        #expect(try query(message).edns?.payloadSize == 511)
        #expect(try query(message).largestAnswer == 512)
    }

    @Test func `what has no header and what is a response is not answered`() {
        for length in 0..<12 { #expect(DNSQuery(Array(Captured.a[..<length])) == nil) }
        var response = Captured.a
        response[2] |= 0x80
        #expect(DNSQuery(response) == nil)
    }

    @Test func `a message that breaks off is a format error, wherever it does`() throws {
        for message in Captured.all where message != Captured.notify {
            for length in 12..<message.count {
                #expect(try query(Array(message[..<length])).error == .formatError, "\(length)")
            }
        }
    }

    @Test(arguments: ["0000", "0002", "ffff"])
    func `a query has one question`(count: String) throws {
        let message = hex("0001 0100 \(count) 0000 0000 0000 00 0001 0001 00 0001 0001")
        #expect(try query(message).error == .formatError)
        #expect(try query(message).question == nil)
    }

    @Test(arguments: [
        // Counts of answers, authorities and additional records that are too large.
        "0001 ffff 0000 0000 00 0001 0001", "0001 0000 0001 0000 00 0001 0001", "0001 0000 0000 0001 00 0001 0001",
        // A name that is a pointer: to the header, to itself, onwards; labels of other kinds.
        "0001 0000 0000 0000 c000 0001 0001", "0001 0000 0000 0000 c00c 0001 0001",
        "0001 0000 0000 0000 c00e 00 0001 0001", "0001 0000 0000 0000 0161 c00c 0001 0001",
        "0001 0000 0000 0000 4161 00 0001 0001", "0001 0000 0000 0000 8161 00 0001 0001",
        // Two OPT records; one in the answer, one in the authority section; one with a name.
        "0001 0000 0000 0002 00 0001 0001 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000",
        "0001 0001 0000 0000 00 0001 0001 00 0029 04d0 00000000 0000",
        "0001 0000 0001 0000 00 0001 0001 00 0029 04d0 00000000 0000",
        "0001 0000 0000 0001 00 0001 0001 0161 00 0029 04d0 00000000 0000",
        // Options that are longer and shorter than OPT; an option without its length.
        "0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0005 000a 0002 00",
        "0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0005 000a 0000 00",
        "0001 0000 0000 0001 00 0001 0001 00 0029 04d0 00000000 0002 000a",
    ])
    func `a message that is made wrong is a format error`(rest: String) throws {
        #expect(try query(hex("0001 0100" + rest)).error == .formatError)
    }

    @Test func `a name of more than 255 bytes is a format error`() throws {
        let label = [63] + [UInt8](repeating: 0x61, count: 63)
        let short = [61] + [UInt8](repeating: 0x61, count: 61)
        let header = hex("0001 0100 0001 0000 0000 0000")
        let longest = try query(header + label + label + label + short + hex("00 0001 0001"))
        #expect(longest.error == nil && longest.question?.name.bytes.count == 255)
        let longer = [62] + [UInt8](repeating: 0x61, count: 62)
        #expect(try query(header + label + label + label + longer + hex("00 0001 0001")).error == .formatError)
    }

    @Test func `records beside the question and bytes behind the message are passed over`() throws {
        // An SOA in the authority section, as IXFR has it, by a pointer to the question's name; OPT; TSIG-like.
        let message = hex(
            """
            0001 0000 0001 0000 0001 0002 0161 00 00fb 0001
            c00c 0006 0001 00000000 0002 abcd
            00 0029 1000 00000000 0000
            c00c 00fa 00ff 00000000 0000
            ffff
            """)
        #expect(try query(message).error == nil)
        #expect(try query(message).edns?.payloadSize == 4096)
    }

    @Test func `another opcode is not implemented, also where its message is another one`() throws {
        #expect(try query(Captured.notify).error == .notImplemented)
        #expect(try query(Captured.notify).flags.opcode == DNSOpcode(code: 4))
        #expect(try query(hex("0001 3000 0000 0000 0000 0000")).error == .notImplemented)
        #expect(try query(hex("0001 2800 0001 0000 ffff 0000")).error == .notImplemented)
    }

    @Test func `a later EDNS is told that its version is bad`() throws {
        #expect(try query(Captured.laterEDNS).error == .badVersion)
        #expect(try query(Captured.laterEDNS).edns?.version == 1)
    }

    // MARK: Queries of the library's own

    @Test func `a query is written with RD and EDNS`() throws {
        let query = DNSQuery(asking: DNSQuestion(name: try name("Web.test"), type: .aaaa), id: 0xbeef)
        #expect(
            message { query.write(into: $0) }
                == hex("beef 0100 0001 0000 0000 0001 03576562 0474657374 00 001c 0001 00 0029 04d0 00000000 0000"))
        #expect(query.largestAnswer == 1232)
    }

    @Test func `what is written is read as the same`() throws {
        for captured in Captured.all {
            let query = try query(captured)
            let written = try FakeDNSTests.query(try #require(message { query.write(into: $0) }))
            #expect(written.id == query.id && written.flags == query.flags && written.question == query.question)
            #expect(written.edns == query.edns && written.error == query.error)
        }
    }

    @Test func `memory of less than 512 bytes is not written to`() throws {
        let query = try query(Captured.a)
        #expect(message(memory: 511) { query.write(into: $0) } == nil)
        #expect(message(memory: 512) { query.write(into: $0) } != nil)
    }
}
