import Addressing
import SOCKS5

/// A generated user name, by which a SOCKS5 proxy such as Tor separates connections: 32 hexadecimal digits, which are
/// also the password.
public struct IsolationCredentials: Sendable {
    private let upper: UInt64
    private let lower: UInt64

    /// - Parameters:
    ///   - upper: random.
    ///   - lower: random.
    public init(upper: UInt64, lower: UInt64) {
        self.upper = upper
        self.lower = lower
    }

    /// Writes the request of RFC 1929.
    func write(to message: inout some ByteSink) {
        var name = Digits()
        name.append(upper)
        name.append(lower)
        try? UsernamePasswordRequest.write(user: name.bytes, password: name.bytes, to: &message)
    }

    private struct Digits {
        private var storage = InlineArray<32, UInt8>(repeating: 0)
        private var length = 0

        mutating func append(_ word: UInt64) {
            for index in 0..<16 where length < storage.count {
                let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * index) & 0xf)
                storage[length] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                length += 1
            }
        }

        var bytes: Span<UInt8> {
            @_lifetime(borrow self) borrowing get { storage.span.extracting(first: length) }
        }
    }
}
