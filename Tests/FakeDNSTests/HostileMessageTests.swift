import Addressing
import FakeDNS
import SeededGenerator
import Testing

@Suite struct HostileMessageTests {
    /// Damaged messages: whatever they contain, the code reads and writes nothing out of bounds, which would trap, and
    /// every answer is one that the client accepts and can read.
    @Test func `changed queries are answered within bounds`() {
        var generator = SplitMix(state: 0x5eed)
        for _ in 0..<50_000 {
            let message = changed(Captured.all.randomElement(using: &generator) ?? [], &generator)
            guard let query = DNSQuery(message) else {
                #expect(message.count < 12 || message[2] >= 0x80)
                continue
            }
            check(query, message)
        }
    }

    @Test func `changed responses give no more than is asked for`() throws {
        var generator = SplitMix(state: 0xd15)
        let query = DNSQuery(asking: DNSQuestion(name: try name("web.test"), type: .a), id: 0x1234)
        let responses = [
            """
            1234 8180 0001 0003 0000 0001 0377656204746573740000010001
            c00c 0005 0001 00000100 0006 03777777 c00c c026 0005 0001 00000010 0006 0363646e c010
            c038 0001 0001 00001000 0004 c0000201 00 0029 1000 00000000 000c 000a 0008 90c50bdee5b56290
            """,
            "1234 8180 0001 0012 0000 0000 0377656204746573740000010001"
                + String(repeating: "c00c 0001 0001 00001000 0004 c0000201", count: 18),
        ].map(hex)
        for _ in 0..<50_000 {
            let message = changed(responses.randomElement(using: &generator) ?? [], &generator)
            guard let response = try? DNSResponse(message, to: query) else { continue }
            #expect(response.addressCount <= min(16, message.count / 14))
            #expect(response.timeToLive <= 0x7fff_ffff)
            #expect((1...255).contains(response.canonicalName.bytes.count))
            #expect(response.code == .noError && !response.isTruncated || response.addressCount == 0)
            #expect(response.pointer == nil)
        }
    }

    private func check(_ query: DNSQuery, _ message: [UInt8]) {
        let limit = query.largestAnswer
        var memory = [UInt8](repeating: 0xee, count: limit + 64)
        let length: Int?
        switch DNSNeed(query) {
        case .addresses(let name, let family):
            let address: IPAddress =
                switch family {
                case .ipv4: .v4(IPv4Address(198, 18, 0, 1))
                case .ipv6: .v6(IPv6Address(high: 0, low: 1))
                }
            let addresses = [IPAddress](repeating: address, count: 1 + Int(message[1]) % 64)
            length = query.answer(
                addresses: addresses.span, canonicalName: message[0] % 2 == 0 ? name : HostName("canonical.test"),
                timeToLive: 1, into: memory.mutableSpan)
        case .name:
            length = HostName("web.test").flatMap {
                query.answer(name: $0, timeToLive: 1, into: memory.mutableSpan)
            }
        case .nothing(let code):
            length = query.answer(code, into: memory.mutableSpan)
        }
        guard let length else {
            Issue.record("there was memory")
            return
        }
        #expect((12...limit).contains(length))
        #expect(memory[limit...].allSatisfy { $0 == 0xee })
        let answer = Array(memory[..<length])
        #expect(answer[..<2] == message[..<2])
        guard query.error != .formatError, query.question != nil else { return }
        #expect((try? DNSResponse(answer, to: query)) != nil)

        let truncated = query.truncate(memory.mutableSpan)
        #expect(truncated <= limit)
        #expect((try? DNSResponse(Array(memory[..<truncated]), to: query))?.isTruncated == true)
    }

    /// A few changes that typically break parsers: other bytes, pointers, counts and lengths; truncated, longer,
    /// doubled messages.
    private func changed(_ message: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
        var message = message
        for _ in 0...Int.random(in: 0..<4, using: &generator) {
            guard !message.isEmpty else { return message }
            let place = Int.random(in: message.indices, using: &generator)
            switch Int.random(in: 0..<8, using: &generator) {
            case 0: message[place] = UInt8.random(in: 0...255, using: &generator)
            case 1: message[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: message[place] = [0, 1, 63, 64, 127, 128, 191, 192, 255].randomElement(using: &generator) ?? 0
            case 3: message.removeSubrange(place...)
            case 4: message.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            case 5: message.replaceSubrange(place..<(place + 1), with: [0xc0, UInt8(place & 0xff)])
            case 6: message.insert(contentsOf: message[place...], at: place)
            default: message[Int.random(in: 0..<min(12, message.count), using: &generator)] &+= 1
            }
        }
        return message
    }
}
