import Addressing
import TableMemory

/// What is known of a socket that stands in the place of one of the program's, because that one could not reach the
/// proxy: what the program takes it for.
public struct ReplacedSocket: Equatable, Sendable {
    /// The address that the program has bound the socket to; that of no host, port 0, where to none. Its family is that
    /// of the program's socket.
    public var name: SocketAddress
    /// Options of the program's that the kernel has no place for on this socket; an unused entry is 0.
    private var options = InlineArray<17, UInt64>(repeating: 0)

    public init(name: SocketAddress) {
        self.name = name
    }

    /// The value that the program has set an option to; nil when it has set none.
    @inline(never)
    public func value(of option: SocketOption) -> Int32? {
        for index in options.indices where options[index] >> 32 == option.key {
            return Int32(truncatingIfNeeded: options[index])
        }
        return nil
    }

    /// Remembers what the program has set an option to. More options than there is room for are not remembered.
    @inline(never)
    public mutating func remember(_ value: Int32, of option: SocketOption) {
        for index in options.indices where options[index] == 0 || options[index] >> 32 == option.key {
            options[index] = option.key << 32 | UInt64(UInt32(bitPattern: value))
            return
        }
    }

    public static func == (one: ReplacedSocket, other: ReplacedSocket) -> Bool {
        for index in one.options.indices where one.options[index] != other.options[index] { return false }
        return one.name == other.name
    }

    fileprivate var words: InlineArray<21, UInt64> {
        var words = InlineArray<21, UInt64>(repeating: 0)
        let name = name.words
        for index in name.indices { words[index] = name[index] }
        for index in options.indices { words[name.count + index] = options[index] }
        return words
    }

    fileprivate init?(words: InlineArray<21, UInt64>) {
        guard let name = SocketAddress(words: [words[0], words[1], words[2], words[3]]) else { return nil }
        self.name = name
        for index in options.indices { options[index] = words[4 + index] }
    }
}

/// An option of getsockopt(2) whose value is a number.
public struct SocketOption: Equatable, Sendable {
    public let level: Int32
    public let name: Int32

    public init(_ level: Int32, _ name: Int32) {
        self.level = level
        self.name = name
    }

    /// Never 0. Levels and options are small numbers.
    fileprivate var key: UInt64 {
        1 << 31 | UInt64(UInt16(truncatingIfNeeded: level)) << 12 | UInt64(name & 0xfff)
    }
}

/// The sockets that stand in the places of others.
public struct ReplacedSockets<Memory: TableMemory & Sendable>: Sendable {
    private let records: RecordTable<Memory, 21>

    public static func size(capacity: Int) -> Int { RecordTable<Memory, 21>.size(capacity: capacity) }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 8.
    public init(memory: Memory, capacity: Int) {
        records = RecordTable(memory: memory, capacity: capacity)
    }

    /// Remembers the socket, in place of what was known of it. False where there is no memory.
    public func insert(_ socket: ReplacedSocket, cookie: UInt64) -> Bool {
        records.insert(socket.words, key: cookie)
    }

    /// nil for a socket that is the program's own, or whose record is being written.
    public func socket(cookie: UInt64) -> ReplacedSocket? {
        records.words(key: cookie).flatMap { ReplacedSocket(words: $0) }
    }

    /// Whether there is a record of the socket that whoever writes it, as the program sets an option, is in the middle of.
    public func isBeingWritten(cookie: UInt64) -> Bool {
        records.isBeingWritten(key: cookie)
    }
}
