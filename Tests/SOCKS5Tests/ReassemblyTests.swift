import SOCKS5
import Testing

@Suite struct ReassemblyTests {
    @Test func `a datagram without fragments is complete as it came`() {
        var queue = Queue()
        #expect(queue.receive(0, [7]) == .whole)
        #expect(queue.receive(0, []) == .whole)
    }

    @Test func `fragments are joined behind the header of the first, which then tells of none`() {
        var queue = Queue()
        #expect(queue.receive(1, [1, 2]) == .nothing)
        #expect(queue.receive(2, [3]) == .nothing)
        #expect(queue.receive(0x83, [4, 5]) == .joined(length: 15))
        #expect(queue.joined(15) == [0, 0, 0, 1, 192, 0, 2, 1, 0, 53, 1, 2, 3, 4, 5])
    }

    @Test func `a sequence may be of one fragment, and a fragment of no data`() {
        var queue = Queue()
        #expect(queue.receive(0x81, [9]) == .joined(length: 11))
        #expect(queue.joined(11).last == 9)
        #expect(queue.receive(1, []) == .nothing)
        #expect(queue.receive(0x82, []) == .joined(length: 10))
    }

    @Test func `127 fragments are joined`() {
        var queue = Queue()
        for number in 1...126 as ClosedRange<UInt8> { #expect(queue.receive(number, [number]) == .nothing) }
        #expect(queue.receive(0xff, [127]) == .joined(length: 137))
        #expect(queue.joined(137).dropFirst(10) == [UInt8](1...127)[...])
    }

    @Test func `the name of a source is joined with the data`() {
        var queue = Queue()
        let name: [UInt8] = [3, 3, 97, 46, 98, 0, 53]
        #expect(queue.receive(1, [1], from: name) == .nothing)
        #expect(queue.receive(0x82, [2], from: name) == .joined(length: 12))
        #expect(queue.joined(12) == [0, 0, 0, 3, 3, 97, 46, 98, 0, 53, 1, 2])
    }

    @Test func `after a sequence comes the next`() {
        var queue = Queue()
        #expect(queue.receive(0x81, [1]) == .joined(length: 11))
        #expect(queue.receive(0x82, [2]) == .nothing)
        #expect(queue.receive(1, [3]) == .nothing)
        #expect(queue.receive(0x82, [4]) == .joined(length: 12))
        #expect(queue.joined(12).suffix(2) == [3, 4])
    }

    @Test func `a number lower than the last ends the sequence`() {
        var queue = Queue()
        for number in 1...3 as ClosedRange<UInt8> { _ = queue.receive(number, [number]) }
        #expect(queue.receive(2, [2]) == .nothing)
        #expect(queue.receive(0x84, [4]) == .nothing)
    }

    @Test func `a datagram that is complete ends the sequence`() {
        var queue = Queue()
        _ = queue.receive(1, [1])
        #expect(queue.receive(0, [7]) == .whole)
        #expect(queue.receive(0x82, [2]) == .nothing)
    }

    @Test func `a first fragment ends the sequence, and begins another`() {
        var queue = Queue()
        _ = queue.receive(1, [1])
        _ = queue.receive(2, [2])
        #expect(queue.receive(1, [3]) == .nothing)
        #expect(queue.receive(0x82, [4]) == .joined(length: 12))
        #expect(queue.joined(12).suffix(2) == [3, 4])
        #expect(queue.receive(1, [5]) == .nothing)
        #expect(queue.receive(1, [6]) == .nothing)
        #expect(queue.receive(0x82, [7]) == .joined(length: 12))
        #expect(queue.joined(12).suffix(2) == [6, 7])
    }

    @Test func `a repeated number, which may be of the next sequence, ends this one`() {
        var queue = Queue()
        _ = queue.receive(1, [1])
        _ = queue.receive(2, [2])
        #expect(queue.receive(2, [2]) == .nothing)
        #expect(queue.receive(0x83, [3]) == .nothing)
    }

    @Test func `a gap ends the sequence`() {
        var queue = Queue()
        _ = queue.receive(1, [1])
        #expect(queue.receive(3, [3]) == .nothing)
        #expect(queue.receive(2, [2]) == .nothing)
        #expect(queue.receive(0x83, [3]) == .nothing)
        #expect(queue.receive(0x84, [4]) == .nothing)
    }

    @Test func `a sequence begins with its first fragment alone`() {
        var queue = Queue()
        for number in [2, 0x82, 127, 0xff, 0x80] as [UInt8] { #expect(queue.receive(number, [1]) == .nothing) }
        #expect(queue.receive(0x83, [1]) == .nothing)
    }

    @Test func `an end without a number is no fragment, and ends the sequence`() {
        var queue = Queue()
        _ = queue.receive(1, [1])
        #expect(queue.receive(0x80, [2]) == .nothing)
        #expect(queue.receive(0x82, [2]) == .nothing)
    }

    @Test(
        arguments: [
            [1, 192, 0, 2, 2, 0, 53], [1, 192, 0, 2, 1, 0, 54], [3, 3, 97, 46, 98, 0, 53],
            [4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 53],
        ] as [[UInt8]])
    func `what follows from another source is left out`(source: [UInt8]) {
        var queue = Queue()
        _ = queue.receive(1, [1])
        #expect(queue.receive(0x82, [8], from: source) == .nothing)
        #expect(queue.receive(3, [8], from: source) == .nothing)
        #expect(queue.receive(0x85, [9], from: source) == .nothing)
        #expect(queue.receive(0x82, [2]) == .joined(length: 12))
        #expect(queue.joined(12).suffix(2) == [1, 2])
    }

    @Test func `a name is another source than the address of the same bytes`() {
        var queue = Queue()
        _ = queue.receive(1, [1], from: [1, 3, 97, 46, 98, 0, 53])
        #expect(queue.receive(0x82, [9], from: [3, 3, 97, 46, 98, 0, 53]) == .nothing)
        #expect(queue.receive(0x82, [2], from: [1, 3, 97, 46, 98, 0, 53]) == .joined(length: 12))
    }

    @Test func `a repeated number from another source is left out`() {
        var queue = Queue()
        _ = queue.receive(1, [1])
        _ = queue.receive(2, [2])
        #expect(queue.receive(2, [8], from: [1, 192, 0, 2, 2, 0, 53]) == .nothing)
        #expect(queue.receive(0x83, [3]) == .joined(length: 13))
    }

    @Test func `the first fragment of another source takes the place of the sequence`() {
        var queue = Queue()
        let other: [UInt8] = [1, 192, 0, 2, 2, 0, 53]
        _ = queue.receive(1, [1])
        #expect(queue.receive(1, [8], from: other) == .nothing)
        #expect(queue.receive(0x82, [2]) == .nothing)
        #expect(queue.receive(0x82, [9], from: other) == .joined(length: 12))
        #expect(queue.joined(12) == [0, 0, 0, 1, 192, 0, 2, 2, 0, 53, 8, 9])
    }

    @Test func `five seconds after the first fragment the sequence ends`() {
        var late = Queue()
        _ = late.receive(1, [1], at: 100)
        #expect(late.receive(2, [2], at: 5099) == .nothing)
        #expect(late.receive(0x83, [3], at: 5100) == .nothing)
        var timely = Queue()
        _ = timely.receive(1, [1], at: 100)
        #expect(timely.receive(2, [2], at: 5099) == .nothing)
        #expect(timely.receive(0x83, [3], at: 5099) == .joined(length: 13))
    }

    @Test func `the time of a sequence begins anew with the next`() {
        var queue = Queue()
        _ = queue.receive(1, [1], at: 0)
        _ = queue.receive(1, [1], at: 4000)
        #expect(queue.receive(0x82, [2], at: 8999) == .joined(length: 12))
    }

    @Test func `as much as a datagram of UDP carries is joined, and not a byte more`() {
        let half = [UInt8](repeating: 1, count: 32_753)
        var most = Queue()
        _ = most.receive(1, half)
        #expect(most.receive(0x82, half + [2]) == .joined(length: 10 + 65_507))
        #expect(most.joined(10 + 65_507).last == 2)
        var more = Queue()
        _ = more.receive(1, half)
        #expect(more.receive(2, half + [2, 2]) == .nothing)
        #expect(more.receive(0x83, []) == .nothing)
        #expect(more.receive(0x82, []) == .nothing)
    }

    @Test func `what does not fit into the memory is dropped`() {
        var small = Queue(capacity: 12)
        #expect(small.receive(0x81, [1, 2, 3]) == .nothing)
        #expect(small.receive(1, [1, 2]) == .nothing)
        #expect(small.receive(0x82, [3]) == .nothing)
        #expect(small.receive(0x81, [1, 2]) == .joined(length: 12))
        #expect(small.receive(1, [1]) == .nothing)
        #expect(small.receive(1, [1, 2, 3]) == .nothing)
        #expect(small.receive(0x82, [2]) == .nothing)
        var none = Queue(capacity: 0)
        #expect(none.receive(0x81, []) == .nothing)
    }

    @Test func `no datagrams at all crash it, and what it joins is data of one source in their order`() {
        var generator = SystemRandomNumberGenerator()
        var queue = Queue()
        var joined = 0
        for time in 0..<200_000 {
            let number = UInt8.random(in: 0...4, using: &generator) | (Bool.random() ? 0x80 : 0)
            let source = UInt8.random(in: 1...2, using: &generator)
            let outcome = queue.receive(
                number, [source, number & 0x7f], from: [1, 192, 0, 2, source, 0, 53], at: time * 1000)
            guard case .joined(let length) = outcome else { continue }
            joined += 1
            let data = queue.joined(length).dropFirst(10)
            #expect(data.elementsEqual((1...(number & 0x7f)).flatMap { [source, $0] }))
        }
        #expect(joined > 1000)
    }
}

/// A queue with the memory that belongs to it.
private struct Queue {
    private var reassembly = Reassembly()
    private var memory: [UInt8]

    init(capacity: Int = Reassembly.capacity) {
        memory = [UInt8](repeating: 0xee, count: capacity)
    }

    /// Takes a datagram of `192.0.2.1:53`, or of the ATYP, DST.ADDR and DST.PORT that are given.
    mutating func receive(
        _ fragment: UInt8, _ data: [UInt8], from source: [UInt8] = [1, 192, 0, 2, 1, 0, 53], at now: Int = 0
    ) -> Reassembly.Outcome? {
        let datagram = [0, 0, fragment] + source + data
        guard let header = DatagramHeader.read(datagram.span) else { return nil }
        return memory.withUnsafeMutableBytes { reassembly.receive(datagram.span, header, in: $0, at: now) }
    }

    func joined(_ length: Int) -> [UInt8] {
        Array(memory.prefix(length))
    }
}
