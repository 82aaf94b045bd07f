import Addressing
import Synchronization
import TableMemory

/// Reads the words of a record in memory that others may change at any time: each word is read once, and checked before
/// it is used.
public struct WordCursor {
    private var next: UnsafeMutablePointer<Atomic<UInt64>>
    private var left: Int
    /// Of all words so far.
    public private(set) var check: UInt64
    /// Whether an invalid word was read, or one beyond the end.
    public private(set) var isWrong = false

    /// - Parameters:
    ///   - start: `count` words, aligned to 8.
    ///   - check: the initial value of the check.
    public init(_ start: UnsafeMutableRawPointer, count: Int, check: UInt64) {
        next = start.assumingMemoryBound(to: Atomic<UInt64>.self)
        left = count
        self.check = check
    }

    public mutating func write(_ word: UInt64) {
        guard left > 0 else { return }
        next.pointee.store(word, ordering: .relaxed)
        advance(over: word)
    }

    public mutating func read() -> UInt64 {
        guard left > 0 else {
            isWrong = true
            return 0
        }
        let word = next.pointee.load(ordering: .relaxed)
        advance(over: word)
        return word
    }

    private mutating func advance(over word: UInt64) {
        check = mixed(word, into: check)
        next += 1
        left -= 1
    }

    /// A word that is at most `largest`; 0 in the place of any other.
    public mutating func read(upTo largest: UInt64) -> UInt64 {
        let word = read()
        if word <= largest { return word }
        isWrong = true
        return 0
    }

    /// What was read cannot be.
    public mutating func reject() {
        isWrong = true
    }

    // MARK: Halves

    public mutating func write(_ upper: UInt32, _ lower: UInt32) {
        write(UInt64(upper) << 32 | UInt64(lower))
    }

    public mutating func readHalves() -> (upper: UInt32, lower: UInt32) {
        let word = read()
        return (UInt32(truncatingIfNeeded: word >> 32), UInt32(truncatingIfNeeded: word))
    }

    // MARK: Bytes

    /// Eight in a word.
    @inline(never)
    public mutating func write(_ bytes: UnsafeRawBufferPointer) {
        for start in stride(from: 0, to: bytes.count, by: 8) {
            var word: UInt64 = 0
            for index in start..<min(start + 8, bytes.count) {
                word |= UInt64(bytes[index]) << UInt64((index - start) * 8)
            }
            write(word)
        }
    }

    @inline(never)
    public mutating func read(into bytes: UnsafeMutableRawBufferPointer) {
        for start in stride(from: 0, to: bytes.count, by: 8) {
            let word = read()
            for index in start..<min(start + 8, bytes.count) {
                bytes[index] = UInt8(truncatingIfNeeded: word >> UInt64((index - start) * 8))
            }
        }
    }

    // MARK: Addresses

    /// Four words.
    @inline(never)
    public mutating func write(_ address: SocketAddress) {
        let words = address.words
        for index in words.indices { write(words[index]) }
    }

    @inline(never)
    public mutating func readSocketAddress() -> SocketAddress {
        let words: InlineArray<4, UInt64> = [read(), read(), read(), read()]
        if let address = SocketAddress(words: words) { return address }
        isWrong = true
        return SocketAddress(address: .v4(IPv4Address(0)), port: 0)
    }

    /// Three words.
    @inline(never)
    public mutating func write(_ address: IPAddress?) {
        switch address {
        case nil: for _ in 0..<3 { write(0) }
        case .v4(let address)?:
            write(4)
            write(0)
            write(UInt64(address.value))
        case .v6(let address)?:
            write(6)
            write(address.high)
            write(address.low)
        }
    }

    @inline(never)
    public mutating func readAddress() -> IPAddress? {
        let (kind, high, low) = (read(upTo: 6), read(), read())
        switch kind {
        case 0: return nil
        case 4: return .v4(IPv4Address(UInt32(truncatingIfNeeded: low)))
        case 6: return .v6(IPv6Address(high: high, low: low))
        default:
            isWrong = true
            return nil
        }
    }

    /// 33 words at most.
    public static var endpointWordCount: Int { 1 + 32 }

    @inline(never)
    public mutating func write(_ endpoint: Endpoint) {
        switch endpoint.host {
        case .address(let address):
            write(UInt64(endpoint.port))
            write(address)
        case .name(let name):
            write(UInt64(name.count) << 16 | UInt64(endpoint.port))
            name.bytes.withUnsafeBytes { write($0) }
        }
    }

    /// nil for invalid words.
    @inline(never)
    public mutating func readEndpoint() -> Endpoint? {
        let head = read(upTo: 255 << 16 | UInt64(UInt16.max))
        let port = UInt16(truncatingIfNeeded: head)
        guard head >> 16 > 0 else { return readAddress().map { Endpoint(host: .address($0), port: port) } }
        var bytes = InlineArray<255, UInt8>(repeating: 0)
        let count = Int(head >> 16)
        withUnsafeMutableBytes(of: &bytes) { read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<count])) }
        return HostName(bytes.span.extracting(first: count)).map { Endpoint(host: .name($0), port: port) }
    }
}
