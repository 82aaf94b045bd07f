import Addressing
import TableMemory

/// The program's view of a socket that was replaced because it could not reach the proxy.
public struct ReplacedSocket: Equatable, Sendable {
    /// The address that the program has bound the socket to, in the family of the program's socket; the unspecified
    /// address with port 0 if unbound.
    public var name: SocketAddress
    /// Options of the program that the kernel's socket does not have; an unused entry is 0.
    private var options = InlineArray<17, UInt64>(repeating: 0)

    public init(name: SocketAddress) {
        self.name = name
    }

    /// The program's value of an option; nil if it has not set the option.
    @inline(never)
    public func value(of option: SocketOption) -> Int32? {
        for index in options.indices where options[index] >> 32 == option.key {
            return Int32(truncatingIfNeeded: options[index])
        }
        return nil
    }

    /// Stores the program's value of an option. Does nothing if all entries are used.
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

/// A numeric option of getsockopt(2).
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

/// The replaced sockets, by the cookie of the new socket.
public struct ReplacedSockets<Memory: TableMemory & Sendable>: Sendable {
    private let records: RecordTable<Memory, 21>

    public static func size(capacity: Int) -> Int { RecordTable<Memory, 21>.size(capacity: capacity) }

    /// - Parameters:
    ///   - memory: `size(capacity:)` bytes.
    ///   - capacity: rounded up to a power of two of at least 8.
    public init(memory: Memory, capacity: Int) {
        records = RecordTable(memory: memory, capacity: capacity)
    }

    /// Stores the record of the socket, replacing a former one. False without memory.
    public func insert(_ socket: ReplacedSocket, cookie: UInt64) -> Bool {
        records.insert(socket.words, key: cookie)
    }

    /// nil for an original socket, or while the record is being written.
    public func socket(cookie: UInt64) -> ReplacedSocket? {
        records.words(key: cookie).flatMap { ReplacedSocket(words: $0) }
    }

    /// Whether the record of the socket is being written, because the program sets an option.
    public func isBeingWritten(cookie: UInt64) -> Bool {
        records.isBeingWritten(key: cookie)
    }
}
