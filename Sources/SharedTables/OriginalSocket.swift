import Addressing

/// The program's view of a socket that was replaced because it could not reach the proxy.
public struct OriginalSocket: Equatable, Sendable {
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

    public static func == (one: OriginalSocket, other: OriginalSocket) -> Bool {
        for index in one.options.indices where one.options[index] != other.options[index] { return false }
        return one.name == other.name
    }

    var words: InlineArray<21, UInt64> {
        var words = InlineArray<21, UInt64>(repeating: 0)
        let name = name.words
        for index in name.indices { words[index] = name[index] }
        for index in options.indices { words[name.count + index] = options[index] }
        return words
    }

    init?(words: InlineArray<21, UInt64>) {
        guard let name = SocketAddress(words: [words[0], words[1], words[2], words[3]]) else { return nil }
        self.name = name
        for index in options.indices { options[index] = words[4 + index] }
    }
}
