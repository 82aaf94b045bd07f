/// An IPv6 address, without a scope.
public struct IPv6Address: Equatable, Sendable {
    /// The first eight octets, the first of them in the highest bits.
    public let high: UInt64
    /// The last eight octets.
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(octets: InlineArray<16, UInt8>) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for index in 0..<8 {
            high = high << 8 | UInt64(octets[index])
            low = low << 8 | UInt64(octets[index + 8])
        }
        self.init(high: high, low: low)
    }

    /// ::ffff:a.b.c.d, RFC 4291 section 2.5.5.2.
    public init(mapping address: IPv4Address) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(address.value))
    }

    /// The octets in the order of the wire.
    public var octets: InlineArray<16, UInt8> {
        var octets = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<8 {
            octets[index] = UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index))
            octets[index + 8] = UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index))
        }
        return octets
    }

    public var isUnspecified: Bool { high == 0 && low == 0 }
    public var isLoopback: Bool { high == 0 && low == 1 }
    /// fe80::/10 (RFC 4291 section 2.5.6).
    public var isLinkLocal: Bool { high >> 54 == 0x3fa }

    /// The IPv4 address inside ::ffff:0:0/96, nil for any other address.
    public var mapped: IPv4Address? {
        guard high == 0, low >> 32 == 0xffff else { return nil }
        return IPv4Address(UInt32(truncatingIfNeeded: low))
    }

    /// The number of leading bits, 0 to 128, that both have alike.
    public func sharedPrefixLength(with other: IPv6Address) -> Int {
        let difference = high ^ other.high
        return difference != 0 ? difference.leadingZeroBitCount : 64 + (low ^ other.low).leadingZeroBitCount
    }

    /// Reads the forms of RFC 4291 section 2.2, as inet_pton(3) does: no scope, no brackets.
    public init?(parsing text: Span<UInt8>) {
        var groups = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap: Int?
        var index = 0
        let colon = UInt8(ascii: ":")
        if text.count >= 2, text[0] == colon {
            guard text[1] == colon else { return nil }
        }
        while index < text.count {
            if index + 1 < text.count, text[index] == colon, text[index + 1] == colon {
                guard gap == nil else { return nil }
                gap = count
                index += 2
                continue
            }
            if text[index] == colon {
                guard count > 0, gap != count else { return nil }
                index += 1
            }
            guard count < 8 else { return nil }
            let start = index
            var group: UInt32 = 0
            while index < text.count, let digit = hexadecimalDigit(text[index]) {
                group = group << 4 | UInt32(digit)
                index += 1
                guard index - start <= 4 else { return nil }
            }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard count <= 6, let tail = IPv4Address(parsing: text.extracting(start...)) else { return nil }
                groups[count] = UInt16(truncatingIfNeeded: tail.value >> 16)
                groups[count + 1] = UInt16(truncatingIfNeeded: tail.value)
                count += 2
                index = text.count
                break
            }
            guard index > start else { return nil }
            groups[count] = UInt16(truncatingIfNeeded: group)
            count += 1
            guard index == text.count || text[index] == colon else { return nil }
        }
        if let gap {
            guard count < 8 else { return nil }
            let moved = count - gap
            for offset in 0..<moved {
                groups[7 - offset] = groups[count - 1 - offset]
            }
            for position in gap..<(8 - moved) { groups[position] = 0 }
        } else {
            guard count == 8 else { return nil }
        }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for position in 0..<4 {
            high = high << 16 | UInt64(groups[position])
            low = low << 16 | UInt64(groups[position + 4])
        }
        self.init(high: high, low: low)
    }

    /// Writes the canonical text of RFC 5952.
    public func write(to sink: inout some ByteSink) {
        if let mapped {
            sink.append("::ffff:")
            mapped.write(to: &sink)
            return
        }
        var groups = InlineArray<8, UInt16>(repeating: 0)
        for position in 0..<4 {
            groups[position] = UInt16(truncatingIfNeeded: high >> UInt64(48 - 16 * position))
            groups[position + 4] = UInt16(truncatingIfNeeded: low >> UInt64(48 - 16 * position))
        }
        let zeros = longestZeroRun(groups)
        var position = 0
        while position < 8 {
            if position == zeros.lowerBound, !zeros.isEmpty {
                sink.append("::")
                position = zeros.upperBound
                continue
            }
            if position > 0, position != zeros.upperBound || zeros.isEmpty { sink.append(UInt8(ascii: ":")) }
            sink.append(hexadecimal: groups[position])
            position += 1
        }
    }
}

/// The first of the longest runs of two or more zero groups; empty where there is none.
private func longestZeroRun(_ groups: InlineArray<8, UInt16>) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for position in 0..<8 {
        if groups[position] != 0 {
            start = position + 1
        } else if position + 1 - start > max(longest.count, 1) {
            longest = start..<(position + 1)
        }
    }
    return longest
}
