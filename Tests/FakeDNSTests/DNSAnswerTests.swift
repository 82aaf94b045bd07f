import Addressing
import FakeDNS
import Testing

@Suite struct DNSAnswerTests {
    @Test func `an address is answered under the question's name, with OPT for an asker that has it`() throws {
        #expect(
            try answer(Captured.a, ["198.18.0.1"])
                == hex(
                    """
                    9458 8180 0001 0001 0000 0001 0377656204746573740000010001
                    c00c 0001 0001 00000005 0004 c6120001
                    00 0029 04d0 00000000 0000
                    """))
    }

    @Test func `the question is echoed letter for letter, and there is no OPT for an asker without`() throws {
        #expect(
            try answer(Captured.aaaaInCapitals, ["fd73::1"])
                == hex(
                    """
                    2f4c 8180 0001 0001 0000 0000 03574542 0474657374 00 001c 0001
                    c00c 001c 0001 00000005 0010 fd730000000000000000000000000001
                    """))
    }

    @Test func `DO, RD and CD are echoed as they are, AD is not`() throws {
        let withDO = try answer(Captured.dnspython, [])
        #expect(withDO == hex("1234 8180 0001 0000 0000 0001 03776562047465737400001c0001 00 0029 04d0 00008000 0000"))
        let withCD = hex("0001 0010 0001 0000 0000 0000 00 0001 0001")
        #expect(try answer(withCD, []) == hex("0001 8090 0001 0000 0000 0000 00 0001 0001"))
        let withAll = hex("0001 07f0 0001 0000 0000 0000 00 0001 0001")
        #expect(try answer(withAll, []) == hex("0001 8190 0001 0000 0000 0000 00 0001 0001"))
    }

    @Test func `of all addresses those of the family are the answer, and none of another is no data`() throws {
        let both = ["2001:db8::1", "192.0.2.1", "192.0.2.2"]
        #expect(
            try answer(Captured.a, both)
                == hex(
                    """
                    9458 8180 0001 0002 0000 0001 0377656204746573740000010001
                    c00c 0001 0001 00000005 0004 c0000201 c00c 0001 0001 00000005 0004 c0000202
                    00 0029 04d0 00000000 0000
                    """))
        #expect(
            try answer(Captured.aaaaInCapitals, ["192.0.2.1"])
                == hex("2f4c 8180 0001 0000 0000 0000 03574542 0474657374 00 001c 0001"))
        #expect(try answer(Captured.https, both)?.dropFirst(6).prefix(2) == [0, 0])
    }

    @Test func `an alias is answered with the canonical name, under which the addresses stand`() throws {
        #expect(
            try answer(Captured.a, ["192.0.2.1"], canonicalName: "www.web.test")
                == hex(
                    """
                    9458 8180 0001 0002 0000 0001 0377656204746573740000010001
                    c00c 0005 0001 00000005 000e 03777777 03776562 0474657374 00
                    c026 0001 0001 00000005 0004 c0000201
                    00 0029 04d0 00000000 0000
                    """))
    }

    @Test(arguments: ["WEB.test", "a..b", String(repeating: "l", count: 64)])
    func `a canonical name that is the same, or none that messages could have, is left out`(name: String) throws {
        let plain = try answer(Captured.a, ["192.0.2.1"])
        #expect(try answer(Captured.a, ["192.0.2.1"], canonicalName: name) == plain)
    }

    @Test func `a time to live is of 31 bits`() throws {
        let answer = try answer(Captured.aaaaInCapitals, ["::1"], timeToLive: 0x8000_0000)
        #expect(answer?[32..<36] == [0x7f, 0xff, 0xff, 0xff])
    }

    @Test func `a name is answered as labels`() throws {
        let query = try query(Captured.reverseIPv4)
        let host = try #require(HostName("web.test"))
        #expect(
            message { query.answer(name: host, timeToLive: 5, into: $0) }
                == hex(
                    """
                    c70f 8180 0001 0001 0000 0001 01310132013003313932 07696e2d61646472 0461727061 00 000c 0001
                    c00c 000c 0001 00000005 000a 03776562 0474657374 00
                    00 0029 04d0 00000000 0000
                    """))
    }

    @Test func `a name that messages cannot have is not there`() throws {
        let query = try query(Captured.reverseIPv4)
        let host = try #require(HostName("a..b"))
        #expect(message { query.answer(name: host, timeToLive: 5, into: $0) } == answer(query, .nameError))
    }

    @Test(arguments: [
        (DNSResponseCode.noError, "8180"), (.formatError, "8181"), (.serverFailure, "8182"), (.nameError, "8183"),
        (.notImplemented, "8184"), (.refused, "8185"),
    ])
    func `a code is answered without records`(code: DNSResponseCode, flags: String) throws {
        let expected = hex("2f4c \(flags) 0001 0000 0000 0000 03574542 0474657374 00 001c 0001")
        #expect(answer(try query(Captured.aaaaInCapitals), code) == expected)
    }

    @Test func `the upper bits of a code stand in OPT, the version of which is ours`() throws {
        let query = try query(Captured.laterEDNS)
        let expected = hex(
            "2396 8180 0001 0000 0000 0001 0377656204746573740000010001 00 0029 04d0 01000000 0000")
        #expect(answer(query, try #require(query.error)) == expected)
    }

    @Test func `another opcode is echoed`() throws {
        let expected = hex(
            "79f3 a184 0001 0000 0000 0001 0377656204746573740000010001 00 0029 04d0 00000000 0000")
        #expect(answer(try query(Captured.notify), .notImplemented) == expected)
    }

    @Test func `a question that was not read is not echoed`() throws {
        #expect(
            answer(try query(hex("abcd 0100 0002 0000 0000 0000")), .formatError)
                == hex("abcd 8181 0000 0000 0000 0000"))
    }

    // MARK: Size

    @Test func `an answer of 512 bytes goes out whole, one of 513 without its records and with TC`() throws {
        let addresses = (1...17).map { "2001:db8::\($0)" }
        let header = hex("0001 0100 0001 0000 0000 0000")
        let fitting = header + hex("0d 61616161616161616161616161 0474657374 00 001c 0001")
        #expect(try answer(fitting, addresses)?.count == 512)
        #expect(try answer(fitting, addresses)?.prefix(12) == hex("0001 8180 0001 0011 0000 0000")[...])
        let longer = header + hex("0e 6161616161616161616161616161 0474657374 00 001c 0001")
        let expected = hex("0001 8380 0001 0000 0000 0000") + longer.dropFirst(12)
        #expect(try answer(longer, addresses) == expected)
    }

    @Test func `an asker with EDNS is sent what it takes, and OPT also without records`() throws {
        let addresses = (1...60).map { "2001:db8::\($0)" }
        let start = hex("0001 0100 0001 0000 0000 0001 00 001c 0001")
        // 12 + 5 + 60 * 28 + 11 = 1708
        let fitting = start + hex("00 0029 06ac 00000000 0000")
        #expect(try answer(fitting, addresses)?.count == 1708)
        let smaller = start + hex("00 0029 06ab 00008000 0000")
        #expect(
            try answer(smaller, addresses)
                == hex("0001 8380 0001 0000 0000 0001 00 001c 0001 00 0029 04d0 00008000 0000"))
        // The client allows 100 bytes, and gets up to 512.
        let smallest = start + hex("00 0029 0064 00000000 0000")
        #expect(try answer(smallest, Array(addresses.prefix(17)))?.count == 504)
        #expect(try answer(smallest, Array(addresses.prefix(18)))?.count == 28)
    }

    @Test func `memory bounds an answer as the asker does`() throws {
        let start = hex("0001 0100 0001 0000 0000 0001 00 001c 0001")
        let addresses = (1...20).map { "2001:db8::\($0)" }
        let query = start + hex("00 0029 1000 00000000 0000")
        #expect(try answer(query, addresses, memory: 588)?.count == 588)
        #expect(try answer(query, addresses, memory: 587)?.count == 28)
        #expect(try answer(query, addresses, memory: 511) == nil)
    }

    // MARK: Responses of servers

    @Test func `a response that the asker takes stays as it is`() throws {
        let query = try query(Captured.aaaaInCapitals)
        let response = [UInt8](repeating: 0xab, count: 512)
        #expect(truncated(response, for: query) == response)
    }

    @Test func `a response that is too long for the asker is its header and the question`() throws {
        // AA, RA and AD come from the server; the counts do not.
        let response = hex("2f4c 85a0 0001 0014 0002 0003") + [UInt8](repeating: 0xab, count: 501)
        #expect(
            truncated(response, for: try query(Captured.aaaaInCapitals))
                == hex("2f4c 87a0 0001 0000 0000 0000 03574542 0474657374 00 001c 0001"))
        #expect(truncated(response, for: try query(Captured.dnspython)) == response)
        let long = response + [UInt8](repeating: 0xab, count: 4096)
        #expect(
            truncated(long, for: try query(Captured.dnspython))
                == hex("1234 87a0 0001 0000 0000 0001 03776562047465737400001c0001 00 0029 04d0 00008000 0000"))
    }

    private func truncated(_ response: [UInt8], for query: DNSQuery) -> [UInt8]? {
        var response = response
        let length = query.truncate(response.mutableSpan)
        return Array(response.prefix(length))
    }

    private func answer(
        _ captured: [UInt8], _ addresses: [String], canonicalName: String? = nil, timeToLive: UInt32 = 5,
        memory: Int = 4096
    ) throws -> [UInt8]? {
        let query = try query(captured)
        let addresses = try addresses.map(address)
        let canonicalName = canonicalName.flatMap { HostName($0) }
        return message(memory: memory) {
            query.answer(
                addresses: addresses.span, canonicalName: canonicalName, timeToLive: timeToLive, into: $0)
        }
    }

    private func answer(_ query: DNSQuery, _ code: DNSResponseCode) -> [UInt8]? {
        message { query.answer(code, into: $0) }
    }
}
