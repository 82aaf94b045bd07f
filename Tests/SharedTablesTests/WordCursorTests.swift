import Addressing
import SharedTables
import Testing

@Suite struct WordCursorTests {
    private static let capacity = 128

    /// Runs `body` with a cursor at the beginning of memory that several calls share.
    private struct Memory {
        let start = zeroedMemory(capacity * 8)

        func cursor(count: Int = capacity) -> WordCursor { WordCursor(start, count: count, check: 1) }
        subscript(index: Int) -> UInt64 {
            get { start.load(fromByteOffset: index * 8, as: UInt64.self) }
            nonmutating set { start.storeBytes(of: newValue, toByteOffset: index * 8, as: UInt64.self) }
        }
    }

    @Test func `what was written is read, with the same check`() throws {
        let memory = Memory()
        let (v4, v6) = (try #require(IPAddress("192.0.2.1")), try #require(IPAddress("2001:db8::1")))
        let named = SocketAddress(address: v6, port: 65_535, flowInfo: 7, scopeID: .max)
        var words = memory.cursor()
        words.write(.max)
        words.write(1, .max)
        words.write(v4)
        words.write(v6)
        words.write(IPAddress?.none)
        words.write(named)
        var read = memory.cursor()
        #expect(read.read() == .max)
        #expect(read.readHalves() == (1, .max))
        #expect(read.readAddress() == v4 && read.readAddress() == v6 && read.readAddress() == nil)
        #expect(read.readSocketAddress() == named)
        #expect(read.check == words.check && !read.isWrong)
    }

    @Test func `bytes and endpoints are read as they were written`() throws {
        let memory = Memory()
        for count in 0...17 {
            let bytes = (0..<count).map { UInt8(0xf0 + $0 % 16) }
            var words = memory.cursor()
            bytes.withUnsafeBytes { words.write($0) }
            var copy = [UInt8](repeating: 1, count: count)
            var read = memory.cursor()
            copy.withUnsafeMutableBytes { read.read(into: $0) }
            #expect(copy == bytes && read.check == words.check)
            // The next word belongs to another record.
            words.write(5)
            #expect(memory[(count + 7) / 8] == 5)
        }
        #expect(memory[0] == 0xf7f6_f5f4_f3f2_f1f0)
        let names = try ["n", String(repeating: "x", count: 255)].map { try #require(HostName($0)) }
        let addresses = try ["192.0.2.1", "2001:db8::1"].map { try #require(IPAddress($0)) }
        for host in names.map({ Host.name($0) }) + addresses.map({ .address($0) }) {
            let endpoint = Endpoint(host: host, port: 65_535)
            var words = memory.cursor(count: WordCursor.endpointWordCount)
            words.write(endpoint)
            var read = memory.cursor(count: WordCursor.endpointWordCount)
            #expect(read.readEndpoint() == endpoint && read.check == words.check && !read.isWrong)
        }
        #expect(memory[0] == 65_535)
        // A name that is too long, and an address of an unknown kind.
        for (head, kind) in [(256 << 16, 0), (.max, 4), (0, 0), (0, 5)] as [(UInt64, UInt64)] {
            (memory[0], memory[1]) = (head, kind)
            var read = memory.cursor()
            let endpoint = read.readEndpoint()
            #expect(endpoint == nil || read.isWrong, "\(head)")
        }
    }

    @Test func `a word that was changed changes the check`() {
        let memory = Memory()
        var words = memory.cursor()
        for word in 0..<10 as Range<UInt64> { words.write(word) }
        for index in 0..<10 {
            memory[index] ^= 1 << 40
            var read = memory.cursor()
            for _ in 0..<10 { _ = read.read() }
            #expect(read.check != words.check)
            memory[index] ^= 1 << 40
        }
    }

    @Test func `no word behind the end is written or read`() {
        let memory = Memory()
        memory[2] = 77
        var words = memory.cursor(count: 2)
        for word in 1...3 as ClosedRange<UInt64> { words.write(word) }
        #expect(memory[1] == 2 && memory[2] == 77)
        var read = memory.cursor(count: 2)
        _ = (read.read(), read.read())
        #expect(!read.isWrong)
        #expect(read.read() == 0 && read.isWrong)
    }

    @Test func `a word that cannot be is told of`() {
        let memory = Memory()
        for (word, isRight) in [(5, true), (6, false), (.max, false)] as [(UInt64, Bool)] {
            memory[0] = word
            var words = memory.cursor()
            #expect(words.read(upTo: 5) == (isRight ? word : 0))
            #expect(words.isWrong == !isRight)
        }
        for kind in [1, 5, 7, .max] as [UInt64] {
            memory[0] = kind
            var words = memory.cursor()
            #expect(words.readAddress() == nil)
            #expect(words.isWrong)
            var address = memory.cursor()
            memory[0] = kind << 16
            _ = address.readSocketAddress()
            #expect(address.isWrong)
        }
    }

    @Test func `destinations are read as they were written, and never from other words`() throws {
        let memory = Memory()
        var destinations = NamedDestinations()
        let name = NamedDestinations.Name(number: 3, version: 8, isIPv6: true)
        let found = try #require(IPAddress("192.0.2.1"))
        for number in 0..<12 as Range<UInt32> {
            destinations.sent(to: .init(number: number, version: 2, isIPv6: false), port: UInt16(number))
        }
        destinations.sent(to: name, port: 53)
        destinations.sent(to: try #require(IPAddress("192.0.2.9")), port: 53)
        #expect(destinations.name(of: found, port: 53) == name)
        var words = memory.cursor(count: NamedDestinations.wordCount)
        destinations.write(to: &words)
        var read = memory.cursor(count: NamedDestinations.wordCount)
        var copy = NamedDestinations(from: &read)
        #expect(!read.isWrong && read.check == words.check)
        #expect(copy.name(of: found, port: 99) == name)
        #expect(copy.name(of: try #require(IPAddress("192.0.2.9")), port: 53) == nil)
        // Whatever a word becomes, the cursor stays inside the memory.
        for index in 0..<NamedDestinations.wordCount {
            let before = memory[index]
            for value in [0, 9, 1 << 63, .max] as [UInt64] {
                memory[index] = value
                var words = memory.cursor(count: NamedDestinations.wordCount)
                var damaged = NamedDestinations(from: &words)
                _ = damaged.name(of: found, port: 53)
                damaged.sent(to: name, port: 54)
            }
            memory[index] = before
        }
    }
}
