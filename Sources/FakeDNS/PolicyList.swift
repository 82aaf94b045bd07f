import Addressing

/// Values by the longest prefix that matches.
struct PolicyList {
    struct Prefix {
        let address: IPv6Address
        let length: Int

        init(high: UInt64, low: UInt64, length: Int) {
            address = IPv6Address(high: high, low: low)
            self.length = length
        }

        /// Reads an address, which may have a slash and a length behind it.
        init?(_ text: Span<UInt8>) {
            var end = 0
            while end < text.count, text[end] != UInt8(ascii: "/") { end += 1 }
            guard let address = IPAddress(parsing: text.extracting(first: end)) else { return nil }
            var length = 128
            if end < text.count {
                guard let number = decimalNumber(text.extracting((end + 1)...)) else { return nil }
                length = number
                if case .v4 = address { length += 96 }
            }
            guard length <= 128 else { return nil }
            self.address = address.mapped
            self.length = length
        }
    }

    private var entries = InlineArray<32, (prefix: Prefix, value: Int)>(
        repeating: (prefix: Prefix(high: 0, low: 0, length: 0), value: 0))
    private var count = 0
    private var isOfFile = false
    private let otherwise: Int

    /// - Parameter otherwise: the value where no prefix matches.
    init(otherwise: Int) {
        self.otherwise = otherwise
    }

    /// Beyond 32 they are left out.
    @inline(never)
    mutating func append(_ prefix: Prefix, _ value: Int) {
        guard count < entries.count else { return }
        entries[count] = (prefix, value)
        count += 1
    }

    /// Adds one that a file has.
    mutating func add(_ prefix: Prefix, _ value: Int) {
        if !isOfFile { count = 0 }
        isOfFile = true
        append(prefix, value)
    }

    @inline(never)
    func value(of address: IPv6Address) -> Int {
        var longest = -1
        var value = otherwise
        for index in 0..<count {
            let prefix = entries[index].prefix
            guard prefix.length > longest, prefix.address.sharedPrefixLength(with: address) >= prefix.length else {
                continue
            }
            longest = prefix.length
            value = entries[index].value
        }
        return value
    }
}
