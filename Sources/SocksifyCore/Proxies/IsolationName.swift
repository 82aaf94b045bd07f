import Addressing
import CPreload
import ProxyConfig
import SOCKS5
import Synchronization

/// The user name by which a proxy keeps connections apart, of those that it wants no credentials for (`isolate`): a
/// random one, the same for a process, or for all that were started from one.
struct IsolationName: @unchecked Sendable {
    private let isolation: Isolation
    /// The random words of the tree, or of the process and those that have forked from it.
    private let words: UnsafeMutablePointer<UInt64>

    static var ownSize: Int { 16 }

    /// - Parameters:
    ///   - tree: two words that the processes of the tree share.
    ///   - own: `ownSize` bytes, zero-filled, private.
    init(_ isolation: Isolation, tree: UnsafeMutablePointer<UInt64>, own: UnsafeMutableRawPointer) {
        self.isolation = isolation
        words = isolation == .tree ? tree : own.bindMemory(to: UInt64.self, capacity: 2)
        guard isolation != .none else { return }
        for index in 0..<2 {
            var random: UInt64 = 0
            _ = kernel_random(&random, 8)
            // Another process of the tree may have been first.
            _ = atomic(words + index).pointee.compareExchange(expected: 0, desired: random | 1, ordering: .relaxed)
        }
    }

    /// Writes the request of RFC 1929 with the name.
    func writeCredentials(to message: inout some ByteSink) {
        var name = Text()
        var first = atomic(words).pointee.load(ordering: .relaxed)
        // A child of fork has its parent's words.
        if isolation == .process { first ^= UInt64(UInt32(bitPattern: process_own_id())) &* 0x9e37_79b9_7f4a_7c15 }
        name.append(first)
        name.append(atomic(words + 1).pointee.load(ordering: .relaxed))
        try? UsernamePasswordRequest.write(user: name.bytes, password: name.bytes, to: &message)
    }

    /// 32 hexadecimal digits.
    private struct Text: ByteSink {
        private var storage = InlineArray<32, UInt8>(repeating: 0)
        private var length = 0

        mutating func append(_ byte: UInt8) {
            guard length < storage.count else { return }
            storage[length] = byte
            length += 1
        }

        mutating func append(_ word: UInt64) {
            for index in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index) & 0xf)
                append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }

        var bytes: Span<UInt8> {
            @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
        }
    }
}
